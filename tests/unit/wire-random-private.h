/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WIRE_RANDOM_PRIVATE_H
#define WIRE_RANDOM_PRIVATE_H

/* What values and structs are made of. */

#include "wire-random.h"

/* mostly few, now and then more */
unsigned int wire_random_count(struct wire_random *rnd);
void wire_random_bytes(struct wire_random *rnd, uint8_t *data, size_t size);
/* on rnd->mem */
const uint8_t *wire_random_data(struct wire_random *rnd, size_t size);
void wire_random_binary(struct wire_random *rnd, struct mapi_binary *bin_r);
mapi_id_t wire_random_id(struct wire_random *rnd);

#endif
