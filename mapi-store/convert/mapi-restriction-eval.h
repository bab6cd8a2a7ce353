/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RESTRICTION_EVAL_H
#define MAPI_RESTRICTION_EVAL_H

/* Testing objects against a restriction, [MS-OXCDATA] 2.12.

   A property that the object doesn't have counts as Exchange does it: less than
   every value and equal to another absent one in comparisons (so RELOP_NE
   matches); 0 under a mask; of size 0; matching no content restriction.

   Strings are compared without case, binaries byte by byte. In content
   restrictions the fuzzy level says how. A single value that is compared with
   a multi-value matches if it does for any of its values; RELOP_NE if it equals
   none of them. */

#include "mapi-restriction.h"

/* What is tested. */
struct mapi_restriction_object {
	/* The value of a property: *value_r is NULL if there's none. It stays
	   valid until the next object is tested. Tags of strings always have
	   the type PTYP_STRING. */
	enum mapi_error (*get)(void *context, uint32_t tag,
			       const struct mapi_value **value_r);
	/* Recipients or attachments (tag is PidTagMessageRecipients or
	   PidTagMessageAttachments): how many there are, and a property of one
	   of them. NULL if objects have none. */
	enum mapi_error (*sub_count)(void *context, uint32_t sub_tag,
				     unsigned int *count_r);
	enum mapi_error (*sub_get)(void *context, uint32_t sub_tag,
				   unsigned int idx, uint32_t tag,
				   const struct mapi_value **value_r);
};

struct mapi_restriction_eval;
struct buffer;

/* Appends str in the form in which strings are the same that FuzzyLevelHigh
   (level) takes for the same. */
void mapi_restriction_fold(struct buffer *dest, const char *str,
			   uint16_t level);

/* Checks a restriction and prepares it; it's copied. code_page: that of
   PTYP_STRING8 values in it. EC_TOO_COMPLEX: nested too deep, or RELOP_-
   MEMBER_OF_DL, which no table can answer; EC_INVALID_PARAM: unknown operators,
   types that can't be compared. */
enum mapi_error
mapi_restriction_eval_init(TALLOC_CTX *parent,
			   const struct mapi_restriction *restriction,
			   uint32_t code_page,
			   struct mapi_restriction_eval **eval_r);
/* The restriction as it is used: all strings are PTYP_STRING. Those of content
   restrictions are as they were, not folded. */
const struct mapi_restriction *
mapi_restriction_eval_get(const struct mapi_restriction_eval *eval);
/* The tags that get() may be asked for (not those of sub-objects), without
   duplicates. */
const uint32_t *
mapi_restriction_eval_tags(const struct mapi_restriction_eval *eval,
			   unsigned int *count_r);

/* TRUE if there's a count restriction: whether an object matches depends on
   how many have matched since the last reset. */
bool mapi_restriction_eval_counts(const struct mapi_restriction_eval *eval);
void mapi_restriction_eval_reset(struct mapi_restriction_eval *eval);

/* Tests an object. An error is one that object's functions have returned. */
enum mapi_error
mapi_restriction_eval_match(struct mapi_restriction_eval *eval,
			    const struct mapi_restriction_object *object,
			    void *context, bool *match_r);

#endif
