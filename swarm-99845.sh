#!/bin/sh
# netstack sim --swarm 1 --seed=99845 --off=corrupt,oneway --flows-off=0x420
# faults: loss burst dup inject options churn
# phases: faults until 3008 ms, all transfers end by 263702 ms, the clock starts at 1082197220191 ns
# events: partition 2615..2615 ms, host -1 vanishes at 467 ms, time jumps by 0 ms, mtu 1280, backlog 32
# up   0: delay 985 us, jitter 0 us, rate 0 bit/s, queue 29, loss 184461, burst 1338/283077, reorder 0 by 62585 us, dup 52106, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 0: delay 1568 us, jitter 0 us, rate 0 bit/s, queue 512, loss 0, burst 0/346970, reorder 0 by 129 us, dup 31198, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 0: pages 8192, max_tcp 6, max_pkt 128, max_time_wait 6 tcp.wmem=282744 tcp.initcwnd=20 tcp.delack=136 tcp.min_tso_segs=11 tcp.time_wait=47907 tcp.cc=2 tcp.pacing=1 tcp.ecn=0 tcp.tlp=0 tcp.nodelay=1 tcp.fastopen=1543 tcp.awake=1
# up   1: delay 1381 us, jitter 0 us, rate 0 bit/s, queue 24, loss 1000, burst 20000/123511, reorder 0 by 31313 us, dup 29307, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 1: delay 1370 us, jitter 0 us, rate 0 bit/s, queue 487, loss 0, burst 0/500000, reorder 0 by 108 us, dup 56764, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 1: pages 8192, max_tcp 2, max_pkt 128, max_time_wait 2 tcp.rmem=14498 tcp.rmem_max=6014 tcp.window_scaling=0 tcp.quickack=13 tcp.hystart=2 tcp.frto=0 tcp.nodelay=1 tcp.fastopen=1539
# up   2: delay 1508 us, jitter 0 us, rate 0 bit/s, queue 512, loss 5495, burst 1409/179944, reorder 0 by 236 us, dup 123136, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# down 2: delay 1689 us, jitter 0 us, rate 0 bit/s, queue 46, loss 0, burst 0/247234, reorder 0 by 168538 us, dup 16487, corrupt 0, truncate 0, ce 0 (per million), mtu 0
# host 2: pages 8192, max_tcp 3, max_pkt 128, max_time_wait 3 tcp.wmem=73247 tcp.timestamps=0 tcp.delack=42 tcp.quickack=15 tcp.fin_timeout=17356 tcp.moderate_rcvbuf=0 tcp.fastopen=1543 tcp.awake=1
# flow 0: host 1 to 2, IPv6, at 31 ms
#   client writes 1960 by 28, reads by 6, shuts down, closes at end of file
#   server writes 0 by 255, reads by 14, shuts down, closes at end of file, cubic
# flow 1: host 2 to 1, IPv4, at 277 ms
#   client writes 1468 by 10, reads by 204, shuts down, closes at end of file, MORE, EOR, NODELAY
#   server writes 2000 by 40, reads by 23284, shuts down, closes at end of file, bbr
# flow 2: host 1 to 0, IPv4, at 532 ms
#   client writes 3 by 8981, reads by 55, shuts down, closes at end of file
#   server writes 3 by 29095, reads by 5223, shuts down, closes at end of file
# flow 3: host 1 to 2, IPv4, at 753 ms
#   client writes 1168 by 3, reads by 736, closes when written, urgent, reno
#   server writes 628 by 4, reads by 4, shuts down, closes at end of file, MORE
# flow 4: host 0 to 1, IPv6, at 1015 ms
#   client writes 111 by 3, reads by 51, shuts down, closes at end of file, EOR, NODELAY
#   server writes 1192 by 32768, reads by 9681, aborts at 880, NODELAY, bbr
# flow 6: host 2 to 1, IPv6, at 1538 ms
#   client writes 33 by 830, reads by 8, shuts down, closes at end of file, MORE, EOR, bbr
#   server writes 27 by 19, reads by 3483, shuts down, closes at end of file, NODELAY
# flow 7: host 0 to 2, IPv6, at 1784 ms, Fast Open
#   client writes 0 by 1680, reads by 1, shuts down, closes at end of file
#   server writes 0 by 47, reads by 22113, shuts down, closes at end of file, EOR, reno
# flow 8: host 2 to 1, IPv4, at 2054 ms
#   client writes 2436 by 20, reads by 15, shuts down, closes at end of file, bbr
#   server writes 2285 by 960, reads by 417, shuts down, closes at end of file
# flow 9: host 1 to 2, IPv6, at 2275 ms
#   client writes 2 by 123, reads by 7581, shuts down, closes at end of file, linger 0, bbr
#   server writes 0 by 149, reads by 65536, closes when written, urgent, reno
# flow 11: host 2 to 1, IPv6, at 2762 ms
#   client writes 373 by 14, reads by 54, closes when written, linger 0, cubic
#   server writes 21 by 4173, reads by 21, shuts down, closes at end of file, MORE, NODELAY
exec "${NETSTACK:-netstack}" sim --swarm 1 --seed=99845 --off=corrupt,oneway --flows-off=0x420
