/* SPDX-License-Identifier: Apache-2.0 */
/* The swarm itself: what a seed promises. */
#include "swarm.h"

#include <t.h>

int main(void) { return t_main(); }

/* With devices that cut and join superframes and without: the applications read the same. (Not all packets are the same: connections take
 * turns by frames, so where there are several, chance falls on other packets.) */
TEST(swarm, superframes_deliver_the_same_bytes)
{
    unsigned with = 0, same = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct swarm_options o = {.seed = seed};
        struct swarm_result on, off;
        swarm_run(&o, &on);
        if ((on.faults >> SWARM_SUPERFRAMES & 1) == 0)
            continue;
        o.off = 1u << SWARM_SUPERFRAMES;
        swarm_run(&o, &off);
        EQ(on.failed, false);
        EQ(off.failed, false);
        CHECK(on.delivered == off.delivered);
        EQ(off.saw[SAW_SUPER_OUT] + off.saw[SAW_SUPER_IN] + off.saw[SAW_CSUM_LEFT], 0);
        with += on.saw[SAW_SUPER_OUT] > 0 || on.saw[SAW_SUPER_IN] > 0;
        same += on.hash == off.hash && on.saw[SAW_SUPER_OUT] > 0;
    }
    CHECK(with > 20);
    CHECK(same > 5); /* one connection: every packet at the same nanosecond */
}

TEST(swarm, options_of_a_run_can_be_read_back)
{
    struct swarm_options o = {.seed = 7, .off = 1u << SWARM_LOSS | 1u << SWARM_SUPERFRAMES, .flows_off = 2, .shift = 3};
    char text[256];
    uint32_t off = 0;
    swarm_options_text(&o, text, sizeof text);
    CHECK(strcmp(text, "--seed=7 --off=loss,superframes --flows-off=0x2 --shift=3") == 0);
    CHECK(swarm_off_parse("loss,superframes", &off) && off == o.off);
    CHECK(!swarm_off_parse("loss,nonsense", &off));
}
