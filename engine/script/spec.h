/* spec.h -- dts-worker --spec FILE...: busted, uncaged, with the engine on descriptor 3 if it is
 * there.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_SPEC_H
#define DTS_SCRIPT_SPEC_H

int spec_run(int count, char **arguments); /* busted's arguments; the exit status */

#endif
