/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WIRE_RANDOM_H
#define WIRE_RANDOM_H

/* Random wire structs for round trips: everything that has an encoding, with a
   bias to what is near a limit. Driven by a seed, so that a failure can be
   repeated: TEST_SEED in the environment replaces it. */

#include "mapi-restriction.h"
#include "mapi-recipient.h"
#include "mapi-rule.h"
#include "mapi-wire-private.h"

struct wire_random {
	uint64_t state;
	TALLOC_CTX *mem;
	enum mapi_wire_form form;
	/* how many more levels values may nest */
	unsigned int depth;
};

/* The seed that was used is printed. */
uint64_t wire_random_seed(void);
void wire_random_init(struct wire_random *rnd, TALLOC_CTX *mem, uint64_t seed);
uint64_t wire_random_u64(struct wire_random *rnd);
/* 0..limit-1 */
unsigned int wire_random_below(struct wire_random *rnd, unsigned int limit);

const char *wire_random_utf8(struct wire_random *rnd, unsigned int max_len);
const char *wire_random_string8(struct wire_random *rnd, unsigned int max_len);
uint16_t wire_random_type(struct wire_random *rnd);
void wire_random_value(struct wire_random *rnd, uint16_t type,
		       struct mapi_value *value_r);
void wire_random_property(struct wire_random *rnd,
			  struct mapi_property *prop_r);
void wire_random_row(struct wire_random *rnd, const uint32_t *columns,
		     uint32_t count, struct mapi_property_row *row_r);
struct mapi_restriction *wire_random_restriction(struct wire_random *rnd);
struct mapi_rule_actions *wire_random_rule_actions(struct wire_random *rnd);
void wire_random_recipient(struct wire_random *rnd, const uint32_t *columns,
			   uint32_t count, struct mapi_recipient_row *row_r);

/* v has type->size bytes, all zero */
void wire_random_struct(struct wire_random *rnd,
			const struct wire_struct *type,
			const struct rop_wire_context *ctx, void *v);
/* By what is on the wire; sizes of regions don't count. */
bool wire_struct_equal(const struct wire_struct *type,
		       const struct rop_wire_context *ctx,
		       const void *a, const void *b);

#endif
