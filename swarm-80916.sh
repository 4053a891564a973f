#!/bin/sh
# netstack sim --swarm 1 --seed=80916 --off=loss,reorder,shrink,resplit --shift=16
# faults: options late
# phases: faults until 13866 ms, all transfers end by 356287 ms, the clock starts at 0 ns
# events: partition 3246..3246 ms, host -1 vanishes at 8884 ms, time jumps by 0 ms, mtu 1281, backlog 32
# up   0: delay 900 us, jitter 0 us, rate 0 bit/s, queue 231, loss 0, burst 0/88937, reorder 0 by 170879 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 1040 us, jitter 0 us, rate 0 bit/s, queue 81, loss 0, burst 0/84416, reorder 0 by 24163 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 29 tcp.rmem=7485 tcp.rmem_max=4517225 tcp.wmem=12781 tcp.wmem_max=1020836 tcp.delack=99 tcp.quickack=10 tcp.rto_min=12 tcp.fin_timeout=1085 tcp.cc=0 tcp.syncookies=0 tcp.ecn=0
# up   1: delay 1092 us, jitter 0 us, rate 0 bit/s, queue 105, loss 0, burst 0/99244, reorder 0 by 295 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 668 us, jitter 0 us, rate 0 bit/s, queue 52, loss 0, burst 0/235628, reorder 0 by 29252 us, dup 0, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 8192, max_tcp 64, max_pkt 128, max_time_wait 19 tcp.wmem=4608 tcp.timestamps=0 tcp.sack=0 tcp.window_scaling=0 tcp.min_tso_segs=1 tcp.rto_min=12 tcp.syn_linear_timeouts=0
# flow 0: host 1 to 0, IPv6, at 0 ms
#   client writes 100000 by 24, reads by 1, stops where the window is shut, shuts down, closes at end of file
#   server writes 0 by 19538, reads by 57 after 12161 ms, shuts down, closes at end of file, NODELAY, reno
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=80916 --off=loss,reorder,shrink,resplit --shift=16
