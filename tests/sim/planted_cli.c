/* SPDX-License-Identifier: Apache-2.0 */
/* netstack sim --swarm over the library with planted bugs: planted_cli PLANT sim --swarm N ... (tests/sim/planted_cli.sh). */
#include "cmd_swarm.h"
#include "sim/swarm.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc > 1 && nst_plant_get_info(i) != NULL; i++)
        if (strcmp(nst_plant_get_info(i)->name, argv[1]) == 0)
            return cmd_swarm_planted(argc - 1, argv + 1, i);
    fprintf(stderr, "planted_cli PLANT sim --swarm N [options]\n");
    return 2;
}
