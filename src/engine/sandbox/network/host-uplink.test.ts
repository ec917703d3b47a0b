import { expect, it } from "vitest";
import { dropping } from "./host-uplink.ts";

const firewall = (table: string, chain: string, hook: string, policy: string): string =>
  `table ${table} {\n\tchain ${chain} {\n\t\ttype filter hook ${hook} priority filter; policy ${policy};\n\t}\n}\n`;

it("finds the chains that drop what they do not know", () => {
  const chains = [
    firewall("inet firewalld", "filter_FORWARD", "forward", "drop"),
    firewall("ip filter", "INPUT", "input", "drop"),
    firewall("ip filter", "OUTPUT", "output", "drop"),
    firewall("inet other", "forward", "forward", "accept"),
  ].join("");
  expect(dropping(chains, "thaw-00000")).toEqual(["inet firewalld filter_FORWARD", "ip filter INPUT"]);
});

it("leaves out Docker's own chain, which is passed, and the platform's", () => {
  const docker = `${firewall("ip filter", "FORWARD", "forward", "drop")}table ip filter {\n\tchain DOCKER-USER {\n\t}\n}\n`;
  expect(dropping(docker, "thaw-00000")).toEqual([]);
  expect(dropping(firewall("inet thaw-00000", "forward", "forward", "drop"), "thaw-00000")).toEqual([]);
});
