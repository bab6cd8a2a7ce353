/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE /* memmem() */
#include "lib.h"
#include "str.h"
#include "mapi-codepage.h"
#include "mapi-props.h"
#include "mapi-restriction-eval.h"
#include "mapi-table-sort.h"

struct mapi_restriction_eval {
	/* own copy */
	struct mapi_restriction *root;
	uint32_t *tags;
	unsigned int tag_count;
	uint32_t code_page;

	/* For each content restriction in the order of a walk over the tree:
	   what is searched for, folded. */
	const char **needles;
	unsigned int needle_count;
	/* likewise for count restrictions: matches so far */
	uint32_t *counts;
	unsigned int count_count;
};

struct eval_walk {
	struct mapi_restriction_eval *eval;
	const struct mapi_restriction_object *object;
	void *context;
	/* inside a sub-object restriction: of which sub-object */
	uint32_t sub_tag;
	unsigned int sub_idx;
};

static bool
bytes_match(const void *_haystack, size_t haystack_len,
	    const void *needle, size_t needle_len, uint16_t fuzzy_low)
{
	const unsigned char *haystack = _haystack;

	if (needle_len > haystack_len)
		return FALSE;
	switch (fuzzy_low) {
	case FL_FULLSTRING:
		return needle_len == haystack_len &&
			(needle_len == 0 ||
			 memcmp(haystack, needle, needle_len) == 0);
	case FL_PREFIX:
		return needle_len == 0 ||
			memcmp(haystack, needle, needle_len) == 0;
	case FL_SUBSTRING:
		return needle_len == 0 ||
			memmem(haystack, haystack_len,
			       needle, needle_len) != NULL;
	}
	i_unreached();
}

/* --- preparing ------------------------------------------------------------ */

static bool relop_is_valid(uint8_t relop)
{
	return relop <= RELOP_NE;
}

static enum mapi_error relop_check(uint8_t relop)
{
	if (relop_is_valid(relop))
		return EC_NONE;
	/* RELOP_RE (6) of MAPI's headers isn't known to any server */
	return relop == RELOP_MEMBER_OF_DL ? EC_TOO_COMPLEX : EC_INVALID_PARAM;
}

/* The tag as get() is asked for it. */
static uint32_t normal_tag(uint32_t tag)
{
	uint16_t type = MAPI_TAG_TYPE(tag) & ~PTYP_INSTANCE_FLAG;

	if (type == PTYP_STRING8)
		type = PTYP_STRING;
	else if (type == PTYP_MULTIPLE_STRING8)
		type = PTYP_MULTIPLE_STRING;
	return MAPI_TAG_AS(tag, type);
}

static void
eval_add_tag(struct mapi_restriction_eval *eval, uint32_t *tag, bool sub)
{
	unsigned int i;

	*tag = normal_tag(*tag);
	if (sub)
		return;
	for (i = 0; i < eval->tag_count; i++) {
		if (eval->tags[i] == *tag)
			return;
	}
	eval->tags = talloc_realloc(eval, eval->tags, uint32_t,
				    eval->tag_count + 1);
	eval->tags[eval->tag_count++] = *tag;
}

/* The address book's protocol can leave a string out, which is none then. */
static void eval_normalize_absent(struct mapi_value *value)
{
	unsigned int i;

	/* str and str8 are the same pointers */
	if ((value->type == PTYP_STRING || value->type == PTYP_STRING8) &&
	    value->u.str == NULL)
		value->u.str = "";
	if (value->type == PTYP_MULTIPLE_STRING ||
	    value->type == PTYP_MULTIPLE_STRING8) {
		for (i = 0; i < value->u.mv.count; i++) {
			if (value->u.mv.v.str[i] == NULL)
				value->u.mv.v.str[i] = "";
		}
	}
}

static void
eval_normalize_value(struct mapi_restriction_eval *eval,
		     struct mapi_property *prop)
{
	struct mapi_value *value = &prop->value;
	unsigned int i;

	eval_normalize_absent(value);
	if (value->type == PTYP_STRING8) {
		value->u.str = mapi_codepage_to_utf8(eval, eval->code_page,
						     value->u.str8);
		value->type = PTYP_STRING;
	} else if (value->type == PTYP_MULTIPLE_STRING8) {
		for (i = 0; i < value->u.mv.count; i++) {
			value->u.mv.v.str[i] =
				mapi_codepage_to_utf8(eval, eval->code_page,
						      value->u.mv.v.str8[i]);
		}
		value->type = PTYP_MULTIPLE_STRING;
	}
	prop->tag = MAPI_TAG_AS(prop->tag, value->type);
}

static enum mapi_error
eval_prepare_content(struct mapi_restriction_eval *eval,
		     struct mapi_restriction *res)
{
	const struct mapi_value *value = &res->u.content.value.value;
	string_t *folded;

	eval_normalize_value(eval, &res->u.content.value);
	if (res->u.content.fuzzy_low > FL_PREFIX ||
	    (value->type != PTYP_STRING && value->type != PTYP_BINARY))
		return EC_INVALID_PARAM;

	eval->needles = talloc_realloc(eval, eval->needles, const char *,
				       eval->needle_count + 1);
	eval->needles[eval->needle_count] = NULL;
	if (value->type == PTYP_STRING) T_BEGIN {
		folded = t_str_new(128);
		mapi_restriction_fold(folded, value->u.str, res->u.content.fuzzy_high);
		eval->needles[eval->needle_count] =
			talloc_strndup(eval, str_c(folded), str_len(folded));
	} T_END;
	eval->needle_count++;
	return EC_NONE;
}

static enum mapi_error
eval_prepare(struct mapi_restriction_eval *eval, struct mapi_restriction *res,
	     unsigned int depth, bool sub)
{
	enum mapi_error error;
	uint32_t i;

	if (res == NULL)
		return EC_NONE;
	if (depth > MAPI_WIRE_MAX_DEPTH)
		return EC_TOO_COMPLEX;

	switch (res->type) {
	case RES_AND:
	case RES_OR:
		for (i = 0; i < res->u.list.count; i++) {
			error = eval_prepare(eval, &res->u.list.items[i],
					     depth + 1, sub);
			if (error != EC_NONE)
				return error;
		}
		return EC_NONE;
	case RES_NOT:
		return eval_prepare(eval, res->u.child, depth + 1, sub);
	case RES_CONTENT:
		eval_add_tag(eval, &res->u.content.tag, sub);
		return eval_prepare_content(eval, res);
	case RES_PROPERTY:
		eval_add_tag(eval, &res->u.property.tag, sub);
		eval_normalize_value(eval, &res->u.property.value);
		return relop_check(res->u.property.relop);
	case RES_COMPAREPROPS:
		eval_add_tag(eval, &res->u.compare.tag1, sub);
		eval_add_tag(eval, &res->u.compare.tag2, sub);
		return relop_check(res->u.compare.relop);
	case RES_BITMASK:
		eval_add_tag(eval, &res->u.bitmask.tag, sub);
		return res->u.bitmask.relop > BMR_NEZ ?
			EC_INVALID_PARAM : EC_NONE;
	case RES_SIZE:
		eval_add_tag(eval, &res->u.size.tag, sub);
		return relop_check(res->u.size.relop);
	case RES_EXIST:
		eval_add_tag(eval, &res->u.exist.tag, sub);
		return EC_NONE;
	case RES_SUBRESTRICTION:
		if (sub || (res->u.sub.tag != PIDTAG_MESSAGE_RECIPIENTS &&
			    res->u.sub.tag != PIDTAG_MESSAGE_ATTACHMENTS))
			return EC_INVALID_PARAM;
		return eval_prepare(eval, res->u.sub.child, depth + 1, TRUE);
	case RES_COMMENT:
		return eval_prepare(eval, res->u.comment.child, depth + 1, sub);
	case RES_COUNT:
		eval->count_count++;
		return eval_prepare(eval, res->u.count.child, depth + 1, sub);
	case RES_NULL:
		return EC_NONE;
	}
	return EC_INVALID_PARAM;
}

enum mapi_error
mapi_restriction_eval_init(TALLOC_CTX *parent,
			   const struct mapi_restriction *restriction,
			   uint32_t code_page,
			   struct mapi_restriction_eval **eval_r)
{
	struct mapi_restriction_eval *eval;
	enum mapi_error error;

	eval = talloc_zero(parent, struct mapi_restriction_eval);
	eval->code_page = code_page;
	eval->root = mapi_restriction_copy(eval, restriction);
	error = eval_prepare(eval, eval->root, 0, FALSE);
	if (error != EC_NONE) {
		talloc_free(eval);
		return error;
	}
	if (eval->count_count > 0) {
		eval->counts = talloc_zero_array(eval, uint32_t,
						 eval->count_count);
	}
	*eval_r = eval;
	return EC_NONE;
}

const struct mapi_restriction *
mapi_restriction_eval_get(const struct mapi_restriction_eval *eval)
{
	return eval->root;
}

const uint32_t *
mapi_restriction_eval_tags(const struct mapi_restriction_eval *eval,
			   unsigned int *count_r)
{
	*count_r = eval->tag_count;
	return eval->tags;
}

bool mapi_restriction_eval_counts(const struct mapi_restriction_eval *eval)
{
	return eval->count_count > 0;
}

void mapi_restriction_eval_reset(struct mapi_restriction_eval *eval)
{
	if (eval->count_count > 0) {
		memset(eval->counts, 0,
		       eval->count_count * sizeof(*eval->counts));
	}
}

/* --- evaluation ----------------------------------------------------------- */

/* Numbers of the content and count restrictions that a walk comes by. Since
   the walk doesn't go into everything, they are looked up by the order of the
   preparing walk: skipped subtrees are counted. */
struct eval_index {
	unsigned int needle, count;
};

static void
eval_skip(const struct mapi_restriction *res, struct eval_index *index)
{
	uint32_t i;

	if (res == NULL)
		return;
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		for (i = 0; i < res->u.list.count; i++)
			eval_skip(&res->u.list.items[i], index);
		break;
	case RES_NOT:
		eval_skip(res->u.child, index);
		break;
	case RES_CONTENT:
		index->needle++;
		break;
	case RES_SUBRESTRICTION:
		eval_skip(res->u.sub.child, index);
		break;
	case RES_COMMENT:
		eval_skip(res->u.comment.child, index);
		break;
	case RES_COUNT:
		index->count++;
		eval_skip(res->u.count.child, index);
		break;
	default:
		break;
	}
}

static enum mapi_error
eval_get(struct eval_walk *walk, uint32_t tag, const struct mapi_value **value_r)
{
	enum mapi_error error;

	*value_r = NULL;
	if (walk->sub_tag == 0)
		error = walk->object->get(walk->context, tag, value_r);
	else {
		error = walk->object->sub_get(walk->context, walk->sub_tag,
					      walk->sub_idx, tag, value_r);
	}
	if (error == EC_NONE && *value_r != NULL &&
	    (*value_r)->type == PTYP_ERROR_CODE)
		*value_r = NULL;
	return error;
}

static bool relop_match(uint8_t relop, int cmp)
{
	switch (relop) {
	case RELOP_LT:
		return cmp < 0;
	case RELOP_LE:
		return cmp <= 0;
	case RELOP_GT:
		return cmp > 0;
	case RELOP_GE:
		return cmp >= 0;
	case RELOP_EQ:
		return cmp == 0;
	case RELOP_NE:
		return cmp != 0;
	}
	i_unreached();
}

static bool
values_match(uint8_t relop, const struct mapi_value *a,
	     const struct mapi_value *b)
{
	struct mapi_value element;
	unsigned int i;

	if (a == NULL || b == NULL) {
		return relop_match(relop,
				   (a != NULL ? 1 : 0) - (b != NULL ? 1 : 0));
	}
	if (a->type == b->type) {
		if ((a->type & PTYP_MULTIPLE_FLAG) == 0)
			return relop_match(relop, mapi_table_value_cmp(a, b));
		/* whole multi-values can only be equal or not */
		if (relop == RELOP_EQ || relop == RELOP_NE) {
			return mapi_value_equal(a, b) ==
				(relop == RELOP_EQ);
		}
		return FALSE;
	}
	if (a->type == (b->type | PTYP_MULTIPLE_FLAG)) {
		for (i = 0; mapi_table_mv_element(a, i, &element); i++) {
			if (relop == RELOP_NE) {
				if (mapi_table_value_cmp(&element, b) == 0)
					return FALSE;
			} else if (relop_match(relop,
					mapi_table_value_cmp(&element, b))) {
				return TRUE;
			}
		}
		return relop == RELOP_NE;
	}
	/* values of different types aren't equal, and have no order */
	return relop == RELOP_NE;
}

static bool
content_match_one(const struct mapi_restriction *res, const char *needle,
		  const struct mapi_value *value)
{
	const struct mapi_value *wanted = &res->u.content.value.value;
	bool match = FALSE;

	if (value->type == PTYP_STRING && wanted->type == PTYP_STRING) {
		T_BEGIN {
			string_t *folded = t_str_new(256);

			mapi_restriction_fold(folded, value->u.str, res->u.content.fuzzy_high);
			match = bytes_match(str_data(folded), str_len(folded),
					    needle, strlen(needle),
					    res->u.content.fuzzy_low);
		} T_END;
	} else if (value->type == PTYP_BINARY && wanted->type == PTYP_BINARY) {
		match = bytes_match(value->u.bin.data, value->u.bin.len,
				    wanted->u.bin.data, wanted->u.bin.len,
				    res->u.content.fuzzy_low);
	}
	return match;
}

static bool
content_match(const struct mapi_restriction *res, const char *needle,
	      const struct mapi_value *value)
{
	struct mapi_value element;
	unsigned int i;

	if (value == NULL)
		return FALSE;
	if ((value->type & PTYP_MULTIPLE_FLAG) == 0)
		return content_match_one(res, needle, value);
	for (i = 0; mapi_table_mv_element(value, i, &element); i++) {
		if (content_match_one(res, needle, &element))
			return TRUE;
	}
	return FALSE;
}

static bool
bitmask_match(const struct mapi_restriction *res,
	      const struct mapi_value *value)
{
	uint32_t bits = 0;

	if (value != NULL) {
		switch (value->type) {
		case PTYP_INTEGER16:
			bits = (uint16_t)value->u.i16;
			break;
		case PTYP_INTEGER32:
			bits = (uint32_t)value->u.i32;
			break;
		case PTYP_INTEGER64:
			bits = (uint32_t)value->u.i64;
			break;
		case PTYP_BOOLEAN:
			bits = value->u.b ? 1 : 0;
			break;
		default:
			return FALSE;
		}
	}
	return ((bits & res->u.bitmask.mask) == 0) ==
		(res->u.bitmask.relop == BMR_EQZ);
}

static bool
size_match(const struct mapi_restriction *res, const struct mapi_value *value)
{
	size_t size = value == NULL ? 0 : mapi_value_size(value);

	return relop_match(res->u.size.relop, size == res->u.size.size ? 0 :
			   (size < res->u.size.size ? -1 : 1));
}

static enum mapi_error
eval_match(struct eval_walk *walk, const struct mapi_restriction *res,
	   struct eval_index *index, bool *match_r);

static enum mapi_error
eval_match_list(struct eval_walk *walk, const struct mapi_restriction *res,
		struct eval_index *index, bool *match_r)
{
	bool decisive = res->type == RES_OR;
	enum mapi_error error = EC_NONE;
	uint32_t i;

	*match_r = !decisive;
	for (i = 0; i < res->u.list.count; i++) {
		if (*match_r == decisive) {
			eval_skip(&res->u.list.items[i], index);
			continue;
		}
		error = eval_match(walk, &res->u.list.items[i], index, match_r);
		if (error != EC_NONE)
			return error;
	}
	return EC_NONE;
}

static enum mapi_error
eval_match_sub(struct eval_walk *walk, const struct mapi_restriction *res,
	       struct eval_index *index, bool *match_r)
{
	struct eval_index start = *index;
	struct eval_walk sub_walk = *walk;
	unsigned int i, count = 0;
	enum mapi_error error;

	*match_r = FALSE;
	eval_skip(res->u.sub.child, index);
	if (walk->object->sub_count == NULL)
		return EC_NONE;
	error = walk->object->sub_count(walk->context, res->u.sub.tag, &count);
	sub_walk.sub_tag = res->u.sub.tag;
	for (i = 0; i < count && error == EC_NONE && !*match_r; i++) {
		struct eval_index sub_index = start;

		sub_walk.sub_idx = i;
		error = eval_match(&sub_walk, res->u.sub.child, &sub_index,
				   match_r);
	}
	return error;
}

static enum mapi_error
eval_match(struct eval_walk *walk, const struct mapi_restriction *res,
	   struct eval_index *index, bool *match_r)
{
	struct mapi_restriction_eval *eval = walk->eval;
	const struct mapi_value *value, *value2;
	enum mapi_error error = EC_NONE;
	unsigned int idx;

	*match_r = FALSE;
	if (res == NULL) {
		*match_r = TRUE;
		return EC_NONE;
	}
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		return eval_match_list(walk, res, index, match_r);
	case RES_NOT:
		error = eval_match(walk, res->u.child, index, match_r);
		*match_r = !*match_r;
		return error;
	case RES_CONTENT:
		idx = index->needle++;
		error = eval_get(walk, res->u.content.tag, &value);
		if (error == EC_NONE) {
			*match_r = content_match(res, eval->needles[idx],
						 value);
		}
		return error;
	case RES_PROPERTY:
		error = eval_get(walk, res->u.property.tag, &value);
		if (error == EC_NONE) {
			*match_r = values_match(res->u.property.relop, value,
						&res->u.property.value.value);
		}
		return error;
	case RES_COMPAREPROPS:
		error = eval_get(walk, res->u.compare.tag1, &value);
		if (error == EC_NONE)
			error = eval_get(walk, res->u.compare.tag2, &value2);
		if (error == EC_NONE) {
			*match_r = values_match(res->u.compare.relop, value,
						value2);
		}
		return error;
	case RES_BITMASK:
		error = eval_get(walk, res->u.bitmask.tag, &value);
		if (error == EC_NONE)
			*match_r = bitmask_match(res, value);
		return error;
	case RES_SIZE:
		error = eval_get(walk, res->u.size.tag, &value);
		if (error == EC_NONE)
			*match_r = size_match(res, value);
		return error;
	case RES_EXIST:
		error = eval_get(walk, res->u.exist.tag, &value);
		*match_r = value != NULL;
		return error;
	case RES_SUBRESTRICTION:
		return eval_match_sub(walk, res, index, match_r);
	case RES_COMMENT:
		return eval_match(walk, res->u.comment.child, index, match_r);
	case RES_COUNT:
		idx = index->count++;
		if (eval->counts[idx] >= res->u.count.count) {
			eval_skip(res->u.count.child, index);
			return EC_NONE;
		}
		error = eval_match(walk, res->u.count.child, index, match_r);
		if (error == EC_NONE && *match_r)
			eval->counts[idx]++;
		return error;
	case RES_NULL:
		*match_r = TRUE;
		return EC_NONE;
	}
	i_unreached();
}

enum mapi_error
mapi_restriction_eval_match(struct mapi_restriction_eval *eval,
			    const struct mapi_restriction_object *object,
			    void *context, bool *match_r)
{
	struct eval_walk walk = {
		.eval = eval,
		.object = object,
		.context = context,
	};
	struct eval_index index = { 0, 0 };

	return eval_match(&walk, eval->root, &index, match_r);
}
