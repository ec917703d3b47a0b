import { readFileSync } from "node:fs";
import type { LayerEntry, TestImage } from "./layout.ts";

/** A runtime in shell: it answers what a command of the event tells. */
const RUNTIME = `#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
echo "began as $0 $*"
while :; do
  wget -q -S -O /tmp/event $api/invocation/next 2>/tmp/headers || exit 3
  id=$(sed -n 's/.*[Rr]equest-[Ii]d: *//p' /tmp/headers | tr -d '\\r')
  command=$(sed 's/^"//; s/"$//' /tmp/event)
  sh -c "$command" 2>&1 | sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g' | awk 'BEGIN{printf "\\""}{printf "%s|", $0}END{printf "\\""}' >/tmp/answer
  wget -q -O /dev/null --post-file /tmp/answer $api/invocation/$id/response
done
`;

const busybox = (): LayerEntry[] => [
  { name: "bin/busybox", data: readFileSync("/bin/busybox") },
  ...["sh", "wget", "sed", "tr", "awk", "id", "cat", "ls", "env", "pwd", "touch", "hostname", "ps"].map(
    (name): LayerEntry => ({ name: `bin/${name}`, type: "symlink", linkname: "busybox" }),
  ),
];

/** An image of busybox and a runtime in shell, with settings of every kind. */
export const shellImage = (): TestImage => ({
  layers: [
    busybox(),
    [
      { name: "srv/runtime", data: RUNTIME },
      { name: "srv/data", data: "data" },
    ],
  ],
  config: {
    Entrypoint: ["/srv/runtime"],
    Cmd: ["one", "two"],
    Env: ["PATH=/bin", "OWN=mine", "AWS_REGION=nowhere", "REPLACED=by image"],
    WorkingDir: "/srv",
    User: "0:0",
  },
});
