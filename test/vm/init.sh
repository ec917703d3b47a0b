#!/bin/busybox sh
# First process of the test machine: makes the host's file system writable without changing it, then runs the tasks on the disk.
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
while read -r module; do $B insmod "/modules/$module"; done </modules/order
# Ports appear a moment after their driver, the last one's last; the first number is their controller's among all devices.
read -r tasks </tasks
until [ -c /dev/vport*p1 ] && [ -c /dev/vport*p$((tasks + 1)) ]; do $B usleep 10000; done
port=$(echo /dev/vport*p1)
port=${port%1}
echo ready >"${port}1"

# Writes go to a disk of the machine's own, by way of an overlay; /tmp is on that disk itself, as it is on real hosts.
$B mount -t virtiofs -o ro host /host
$B mount -t ext4 -o noatime /dev/vda /scratch
$B mkdir -p /scratch/upper /scratch/work /scratch/tmp
$B chmod 1777 /scratch/tmp
$B chmod -R a+rX /scratch/program
$B mount -t overlay -o lowerdir=/host,upperdir=/scratch/upper,workdir=/scratch/work overlay /root
for part in dev proc sys; do $B mount --move /$part /root/$part; done
$B mount --bind /scratch/tmp /root/tmp
# Tests may run from a clone in there.
repository=$($B cat /repository)
case $repository in
/tmp/*)
  $B mkdir -p "/root$repository" /scratch/repository /scratch/repository-work
  layers="lowerdir=/host$repository,upperdir=/scratch/repository,workdir=/scratch/repository-work"
  $B mount -t overlay -o "$layers" overlay "/root$repository"
  ;;
esac
$B mkdir -p /root/dev/pts /root/dev/shm /root/run
$B mount -t devpts devpts /root/dev/pts
$B mount -t tmpfs shm /root/dev/shm
$B mount -t tmpfs run /root/run
$B mkdir /root/run/program
$B mount --bind /scratch/program /root/run/program
$B ln -s /proc/self/fd /root/dev/fd
$B mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
$B ip link set lo up
$B hostname vm

# The kernel loads what else it needs by this name.
[ -e /root/usr/sbin/modprobe ] || $B ln -s "$($B cat /busybox)" /root/usr/sbin/modprobe
$B mkdir -p /root/usr/lib/modules
$B mount --bind "/root$($B cat /module-tree)" /root/usr/lib/modules

echo "$tasks $port" >/root/run/tasks
$B cat >/root/run/finish <<'END'
read -r tasks port </run/tasks
for task in $(seq "$tasks"); do
  /bin/sh "/run/program/task-$task" >"$port$((task + 1))" 2>&1
  echo "task $task: $?" >"${port}1"
done
busybox poweroff -f
END
# Not chroot: what is chrooted may make no user namespaces.
exec $B switch_root /root /bin/sh /run/finish
