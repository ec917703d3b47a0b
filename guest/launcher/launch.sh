#!/bin/sh
# The first process of environments whose runtime is not the platform's own code, or that have external extensions:
# see "The launcher" in ../PROTOCOL.md. Each line of descriptor 3 is shell code of the platform's, until one runs the runtime.

# report PROCESS STATUS: an `exit` frame. The body is shorter than 255 bytes.
report() {
	body="{\"process\":$1,\"status\":$2}"
	printf "\\000\\000\\000\\$(printf %03o $((${#body} + 1)))\\207%s" "$body" >&4
}

# extension INDEX COMMAND...: its output goes to descriptor 2, which tells it from the runtime's.
extension() {
	index=$1
	shift
	(
		cd /
		"$@" 3<&- 4>&- >&2 </dev/null
		report "$index" $?
	) &
}

# beside_extensions COMMAND...: a runtime with the HTTP API; lines are then names of signals for it.
beside_extensions() {
	"$@" 3<&- 4>&- 2>&1 </dev/null &
	runtime=$!
	while read -r signal <&3; do kill -s "$signal" "$runtime" 2>/dev/null; done &
	wait "$runtime"
	report -1 $?
	wait
}

# framed_beside_extensions COMMAND...: a runtime with the frame protocol, which takes the descriptors over.
framed_beside_extensions() {
	"$@" 2>&1 </dev/null &
	wait $!
	report -1 $?
	wait
}

printf '\000\000\000\003\201{}' >&4
NL='
'
while IFS= read -r line <&3; do eval "$line"; done
