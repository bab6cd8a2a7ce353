/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-string8.h"

struct string_convert {
	TALLOC_CTX *mem;
	uint32_t code_page;
	const char *(*convert)(TALLOC_CTX *mem, uint32_t code_page,
			       const char *str);
	/* the types of strings before and after; of multi-values with
	   PTYP_MULTIPLE_FLAG */
	uint16_t from, to;
};

static void
convert_strings(const struct string_convert *ctx, struct mapi_value *value)
{
	const char **strings;
	uint32_t i;

	/* str and str8 are the same pointers */
	if (value->type == ctx->from) {
		value->u.str = ctx->convert(ctx->mem, ctx->code_page,
					    value->u.str);
		value->type = ctx->to;
	} else if (value->type == (ctx->from | PTYP_MULTIPLE_FLAG)) {
		strings = talloc_array(ctx->mem, const char *,
				       value->u.mv.count);
		for (i = 0; i < value->u.mv.count; i++) {
			strings[i] = ctx->convert(ctx->mem, ctx->code_page,
						  value->u.mv.v.str[i]);
		}
		value->u.mv.v.str = strings;
		value->type = ctx->to | PTYP_MULTIPLE_FLAG;
	}
}

static void
convert_property(uint32_t *tag, struct mapi_value *value, void *context)
{
	const struct string_convert *ctx = context;
	uint16_t type = MAPI_TAG_TYPE(*tag);

	if ((type & ~PTYP_MULTIPLE_FLAG) == ctx->from) {
		*tag = MAPI_TAG_AS(*tag, ctx->to |
				   (type & PTYP_MULTIPLE_FLAG));
	}
	if (value != NULL)
		convert_strings(ctx, value);
}

static void
convert_value(struct string_convert *ctx, struct mapi_value *value)
{
	convert_strings(ctx, value);
	mapi_value_walk(value, convert_property, ctx);
}

void mapi_value_to_string8(TALLOC_CTX *mem, uint32_t code_page,
			   struct mapi_value *value)
{
	struct string_convert ctx = {
		mem, code_page, mapi_codepage_from_utf8,
		PTYP_STRING, PTYP_STRING8
	};

	convert_value(&ctx, value);
}

void mapi_value_to_string(TALLOC_CTX *mem, uint32_t code_page,
			  struct mapi_value *value)
{
	struct string_convert ctx = {
		mem, code_page, mapi_codepage_to_utf8,
		PTYP_STRING8, PTYP_STRING
	};

	convert_value(&ctx, value);
}

void mapi_restriction_to_string8(TALLOC_CTX *mem, uint32_t code_page,
				 struct mapi_restriction *res)
{
	struct mapi_value value = { .type = PTYP_RESTRICTION };

	value.u.restriction = res;
	mapi_value_to_string8(mem, code_page, &value);
}
