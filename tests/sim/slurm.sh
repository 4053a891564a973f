#!/bin/sh
# netstack sim --sweep as a Slurm job array on one machine, with the daemons of Debian's packages (slurm-wlm, munge) in a private
# configuration: a network, host name and process numbers of their own, so that nothing is seen outside and nothing is left behind.
for program in munged slurmctld slurmd sbatch scontrol unshare ip; do
    if ! command -v $program >/dev/null; then
        echo "SKIP: $program is not installed (Debian: apt install slurm-wlm munge)"
        exit 77
    fi
done
case ${BUILD:-release} in
*release) ;;
*)
    echo "SKIP: the daemons are the same for every build"
    exit 77
    ;;
esac
if [ "$(id -u)" -ne 0 ] || ! unshare -nupm --fork --mount-proc true 2>/dev/null; then
    echo "SKIP: needs the right to make namespaces"
    exit 77
fi
if [ "$1" != inside ]; then
    dir=$(mktemp -d) || exit 1
    trap 'rm -rf "$dir"' EXIT
    timeout -k 5 150 unshare -nupm --fork --mount-proc --kill-child "$0" inside "$dir"
    status=$?
    [ $status -eq 0 ] || tail -n 20 "$dir"/*.log
    exit $status
fi

# ------------------------------------------------------------------------------------------------- in the namespaces
: "${NETSTACK:?}"
dir=$2
cd "$dir" || exit 1
mkdir state spool
hostname sweep
ip link set lo up
ip addr add 192.0.2.1/32 dev lo # with 127.0.0.1 alone getaddrinfo (AI_ADDRCONFIG) finds no address to bind to
printf '127.0.0.1 localhost\n192.0.2.1 sweep\n' >hosts
mount --bind hosts /etc/hosts
dd if=/dev/urandom of=key bs=128 count=1 2>/dev/null
chmod 600 key
cat >slurm.conf <<CONF
ClusterName=sweep
SlurmctldHost=sweep(192.0.2.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
ReturnToService=2
NodeName=sweep NodeAddr=192.0.2.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=sweep Default=YES MaxTime=10 State=UP
CONF
export SLURM_CONF="$dir/slurm.conf"
munged --foreground --force --key-file="$dir/key" --socket="$dir/munge" --pid-file="$dir/munge.pid" --seed-file="$dir/seed" \
    --log-file="$dir/munged.log" 2>munge.log &
munge=$!
slurmctld -D -f "$SLURM_CONF" 2>ctld.log &
control=$!
slurmd -D -N sweep -f "$SLURM_CONF" 2>d.log &
worker=$!
stop() {
    kill $worker $control $munge 2>/dev/null
    wait $worker $control $munge 2>/dev/null
}
trap stop EXIT
tries=0
until scontrol ping 2>/dev/null | grep -q ' is UP' && sinfo -h -o %T 2>/dev/null | grep -q idle; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ] || ! kill -0 $munge $control $worker; then
        echo "FAIL: the daemons did not come up: $(sinfo 2>&1)"
        exit 1
    fi
    sleep 0.2
done

cat >cells <<'SCENE'
link = 10mbit,{5ms|20ms},loss={0%|1%}
cc = {reno|cubic|bbr}
bytes = 200k
SCENE
"$NETSTACK" sim --sweep cells | sort >want || exit 1
# as in docs/sim.md: each job does a part
sbatch --wait --array=0-3 --output=job.%a --wrap "i=\$SLURM_ARRAY_TASK_ID
    $NETSTACK sim --sweep $dir/cells --cells \$((3 * i))-\$((3 * i + 2)) -o $dir/result.\$i.jsonl" ||
    { echo "FAIL: the job array failed: $(cat job.* 2>&1)"; exit 1; }
[ -s result.3.jsonl ] || { echo "FAIL: no result of the last job"; exit 1; }
cat result.[0-3].jsonl | sort >got
cmp want got || { echo "FAIL: the job array gives other results"; exit 1; }

# a job that was lost: the same array again does only what is missing
sed -i 2d result.1.jsonl
sbatch --wait --array=1 --output=job.%a --wrap "i=\$SLURM_ARRAY_TASK_ID
    $NETSTACK sim --sweep $dir/cells --cells \$((3 * i))-\$((3 * i + 2)) -o $dir/result.\$i.jsonl" ||
    { echo "FAIL: the second array"; exit 1; }
[ "$(wc -l <result.1.jsonl)" -eq 3 ] || { echo "FAIL: $(wc -l <result.1.jsonl) lines after the second run of job 1"; exit 1; }
cat result.[0-3].jsonl | sort | cmp want - || { echo "FAIL: after the second run"; exit 1; }
echo "12 cells by a job array of $(slurmctld -V): the same as in one go"
