#!/bin/sh
# Installs every optional system part that Thaw uses on Debian. Nothing of it is needed for a first run.
set -eu

[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# python3 and boto3: Python functions; zip: the guide's own commands; the X-Ray SDK: the guide's example of tracing.
apt-get install -y -qq --no-install-recommends --no-upgrade python3 python3-boto3 zip
apt-get install -y -qq --no-install-recommends --no-upgrade python3-aws-xray-sdk python3-pkg-resources
# The tests of version 2 of the AWS CLI, which Debian 12 is the first to have.
case $(apt-cache policy awscli | sed -n 's/^ *Candidate: //p') in
  2.*) apt-get install -y -qq --no-install-recommends --no-upgrade awscli ;;
esac
# The networks of execution environments: iproute2 and nftables for root, passt or slirp4netns for an ordinary user.
apt-get install -y -qq --no-install-recommends --no-upgrade iproute2 nftables passt slirp4netns
# Java functions (the JDK compiles the runtime's own part) and the tests of Ruby functions.
apt-get install -y -qq --no-install-recommends --no-upgrade default-jdk-headless ruby
# The walls round execution environments.
apt-get install -y -qq --no-install-recommends --no-upgrade bubblewrap util-linux
# The /tmp of execution environments: file systems in files, for root.
apt-get install -y -qq --no-install-recommends --no-upgrade e2fsprogs mount util-linux
# An OCI runtime for --sandbox oci, and what the tests' images are made of.
apt-get install -y -qq --no-install-recommends --no-upgrade crun busybox-static
# test/vm, on amd64: a virtual machine over this host's files, with version 2 control groups. Debian 12 has virtiofsd in qemu-system-common.
if [ "$(dpkg --print-architecture)" = amd64 ]; then
  apt-get install -y -qq --no-install-recommends --no-upgrade qemu-system-x86 busybox-static
  if apt-cache show virtiofsd >/dev/null 2>&1; then apt-get install -y -qq --no-install-recommends --no-upgrade virtiofsd; fi
fi
