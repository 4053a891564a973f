#!/bin/sh
# netstack sim --swarm 1 --seed=24011 --off=jitter,truncate,rate,ce,mss,late,superframes --flows-off=0x2 --shift=8
# faults: reorder dup inject options udp
# phases: faults until 1000 ms, all transfers end by 253692 ms, the clock starts at 907287864360847077 ns
# events: partition 715..715 ms, host -1 vanishes at 609 ms, time jumps by 0 ms, mtu 1500, backlog 32
# up   0: delay 0 us, jitter 0 us, rate 0 bit/s, queue 199, loss 0, burst 0/342215, reorder 100000 by 184826 us, dup 137168, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 0 us, jitter 0 us, rate 0 bit/s, queue 473, loss 0, burst 0/50000, reorder 27187 by 20302 us, dup 31123, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 23 tcp.rmem=78746 tcp.wmem_max=277393 tcp.sack=0 tcp.initcwnd=17 tcp.time_wait=9218 tcp.syncookies=0 tcp.ecn=1 tcp.nodelay=1 tcp.fastopen=1539 tcp.awake=0
# up   1: delay 0 us, jitter 0 us, rate 0 bit/s, queue 512, loss 0, burst 0/50000, reorder 20299 by 131 us, dup 1000, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 0 us, jitter 0 us, rate 0 bit/s, queue 84, loss 0, burst 0/103704, reorder 42538 by 17059 us, dup 2425, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 3 tcp.sack=0 tcp.min_tso_segs=22 tcp.moderate_rcvbuf=0 tcp.ecn=0 tcp.rack=0
# up   2: delay 0 us, jitter 0 us, rate 0 bit/s, queue 193, loss 0, burst 0/134549, reorder 100000 by 9246 us, dup 2993, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 2: delay 0 us, jitter 0 us, rate 0 bit/s, queue 512, loss 0, burst 0/227900, reorder 56736 by 468 us, dup 67561, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 2: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 30 tcp.rmem_max=6272691 tcp.wmem_max=78831 tcp.timestamps=0 tcp.initcwnd=4 tcp.reordering=10 tcp.moderate_rcvbuf=0 tcp.ecn=1 tcp.frto=0 tcp.nodelay=1 tcp.fastopen=1543
# flow 0: host 2 to 0, IPv4, at 421 ms, Fast Open
#   client writes 10 by 91, reads by 3, aborts at 2, NODELAY
#   server writes 0 by 935, reads by 398, aborts at 0
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=24011 --off=jitter,truncate,rate,ce,mss,late,superframes --flows-off=0x2 --shift=8
