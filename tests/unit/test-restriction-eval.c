/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mapi-props.h"
#include "mapi-restriction-eval.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define TAG_STR		0x0037001FU
#define TAG_STR8	0x0037001EU
#define TAG_OTHER_STR	0x0042001FU
#define TAG_INT		0x0E080003U
#define TAG_INT2	0x0E070003U
#define TAG_BOOL	0x0E69000BU
#define TAG_TIME	0x0E060040U
#define TAG_BIN		0x0C1D0102U
#define TAG_MV		0x8001101FU
#define TAG_ABSENT	0x0FFF0003U
#define TAG_ABSENT_STR	0x0FFE001FU

static const char *mv_strings[] = { "Blue", "Red" };
static unsigned int get_count;

/* Recipients: two with a type and a name. */
static enum mapi_error
test_get(void *context, uint32_t tag, const struct mapi_value **value_r)
{
	static struct mapi_value value;

	get_count++;
	*value_r = &value;
	switch (tag) {
	case TAG_STR:
		value = mapi_value_str(context != NULL ? context :
				       "Grüße aus MÜNCHEN");
		return EC_NONE;
	case TAG_OTHER_STR:
		value = mapi_value_str("grüße aus münchen");
		return EC_NONE;
	case TAG_INT:
		value = mapi_value_i32(-5);
		return EC_NONE;
	case TAG_INT2:
		value = mapi_value_i32(0x81);
		return EC_NONE;
	case TAG_BOOL:
		value = mapi_value_bool(TRUE);
		return EC_NONE;
	case TAG_TIME:
		value = mapi_value_time(1000);
		return EC_NONE;
	case TAG_BIN:
		value = mapi_value_bin("SMTP:A@B", 9);
		return EC_NONE;
	case TAG_MV:
		value.type = PTYP_MULTIPLE_STRING;
		value.u.mv.count = 2;
		value.u.mv.v.str = mv_strings;
		return EC_NONE;
	}
	/* absent either way */
	if (tag == TAG_ABSENT)
		value = mapi_value_error(EC_NOT_FOUND);
	else
		*value_r = NULL;
	return EC_NONE;
}

static enum mapi_error
test_sub_count(void *context, uint32_t sub_tag, unsigned int *count_r)
{
	*count_r = sub_tag == PIDTAG_MESSAGE_RECIPIENTS ? 2 : 0;
	return EC_NONE;
}

static enum mapi_error
test_sub_get(void *context, uint32_t sub_tag, unsigned int idx, uint32_t tag,
	     const struct mapi_value **value_r)
{
	static struct mapi_value values[2];

	assert_int_equal(sub_tag, PIDTAG_MESSAGE_RECIPIENTS);
	assert_true(idx < 2);
	*value_r = &values[0];
	switch (tag) {
	case PIDTAG_RECIPIENT_TYPE:
		values[0] = mapi_value_i32(idx + 1);
		return EC_NONE;
	case PIDTAG_DISPLAY_NAME:
		*value_r = &values[1];
		values[1] = mapi_value_str(idx == 0 ? "Anna" : "Bert");
		return EC_NONE;
	}
	*value_r = NULL;
	return EC_NONE;
}

static const struct mapi_restriction_object test_object = {
	.get = test_get,
	.sub_count = test_sub_count,
	.sub_get = test_sub_get,
};

static bool match_context(const struct mapi_restriction *res, void *context)
{
	struct mapi_restriction_eval *eval;
	bool match;

	assert_int_equal(mapi_restriction_eval_init(NULL, res, 1252, &eval),
			 EC_NONE);
	assert_int_equal(mapi_restriction_eval_match(eval, &test_object,
						     context, &match), EC_NONE);
	talloc_free(eval);
	return match;
}

static bool match(const struct mapi_restriction *res)
{
	return match_context(res, NULL);
}

static struct mapi_restriction
property(uint8_t relop, uint32_t tag, struct mapi_value value)
{
	struct mapi_restriction res = { .type = RES_PROPERTY };

	res.u.property.relop = relop;
	res.u.property.tag = tag;
	res.u.property.value.tag = MAPI_TAG_AS(tag, value.type);
	res.u.property.value.value = value;
	return res;
}

static struct mapi_restriction
content(uint16_t low, uint16_t high, uint32_t tag, struct mapi_value value)
{
	struct mapi_restriction res = { .type = RES_CONTENT };

	res.u.content.fuzzy_low = low;
	res.u.content.fuzzy_high = high;
	res.u.content.tag = tag;
	res.u.content.value.tag = MAPI_TAG_AS(tag, value.type);
	res.u.content.value.value = value;
	return res;
}

/* LT LE GT GE EQ NE as bits */
static unsigned int relops(uint32_t tag, struct mapi_value value)
{
	unsigned int result = 0, relop;

	for (relop = RELOP_LT; relop <= RELOP_NE; relop++) {
		struct mapi_restriction res = property(relop, tag, value);

		result = result << 1 | (match(&res) ? 1 : 0);
	}
	return result;
}
#define LESS	061	/* LT, LE, NE */
#define EQUAL	026	/* LE, GE, EQ */
#define GREATER	015	/* GT, GE, NE */

static void test_property(void **state)
{
	assert_int_equal(relops(TAG_INT, mapi_value_i32(-4)), LESS);
	assert_int_equal(relops(TAG_INT, mapi_value_i32(-5)), EQUAL);
	assert_int_equal(relops(TAG_INT, mapi_value_i32(-6)), GREATER);
	assert_int_equal(relops(TAG_TIME, mapi_value_time(1001)), LESS);
	assert_int_equal(relops(TAG_TIME, mapi_value_time(1000)), EQUAL);
	assert_int_equal(relops(TAG_TIME, mapi_value_time(UINT64_MAX)), LESS);
	assert_int_equal(relops(TAG_BOOL, mapi_value_bool(TRUE)), EQUAL);
	assert_int_equal(relops(TAG_BOOL, mapi_value_bool(FALSE)), GREATER);
	/* strings without case, binaries as they are */
	assert_int_equal(relops(TAG_STR,
				mapi_value_str("GRÜSSE")), GREATER);
	assert_int_equal(relops(TAG_STR, mapi_value_str("grüße AUS münchen")),
			 EQUAL);
	assert_int_equal(relops(TAG_BIN, mapi_value_bin("SMTP:A@B", 9)),
			 EQUAL);
	assert_int_equal(relops(TAG_BIN, mapi_value_bin("SMTP:a@b", 9)), LESS);
	assert_int_equal(relops(TAG_BIN, mapi_value_bin("SMTP", 4)), GREATER);
	/* an absent property is less than everything */
	assert_int_equal(relops(TAG_ABSENT, mapi_value_i32(INT32_MIN)), LESS);
	assert_int_equal(relops(TAG_ABSENT_STR, mapi_value_str("")), LESS);
	/* a value of another type: only not equal */
	assert_int_equal(relops(MAPI_TAG_AS(TAG_INT, PTYP_INTEGER32),
				mapi_value_str("x")), 001);
}

static void test_multi_value(void **state)
{
	struct mapi_value both = { .type = PTYP_MULTIPLE_STRING };
	struct mapi_restriction res;

	both.u.mv.count = 2;
	both.u.mv.v.str = mv_strings;

	res = property(RELOP_EQ, TAG_MV, mapi_value_str("red"));
	assert_true(match(&res));
	res = property(RELOP_EQ, TAG_MV, mapi_value_str("green"));
	assert_false(match(&res));
	res = property(RELOP_NE, TAG_MV, mapi_value_str("red"));
	assert_false(match(&res));
	res = property(RELOP_NE, TAG_MV, mapi_value_str("green"));
	assert_true(match(&res));
	res = property(RELOP_EQ, TAG_MV, both);
	assert_true(match(&res));
	res = content(FL_PREFIX, FL_IGNORECASE, TAG_MV, mapi_value_str("RE"));
	assert_true(match(&res));
	res = content(FL_FULLSTRING, 0, TAG_MV, mapi_value_str("red"));
	assert_false(match(&res));
}

static void test_content(void **state)
{
	static const struct {
		const char *value, *wanted;
		/* which of FL_FULLSTRING, FL_SUBSTRING, FL_PREFIX match, for
		   no flag, IGNORECASE, IGNORENONSPACE, LOOSE */
		const char *exact, *icase, *nonspace, *loose;
	} tests[] = {
		{ "Hello World", "Hello World", "fsp", "fsp", "fsp", "fsp" },
		{ "Hello World", "hello world", "", "fsp", "", "fsp" },
		{ "Hello World", "World", "s", "s", "s", "s" },
		{ "Hello World", "hello", "", "sp", "", "sp" },
		{ "Hello World", "", "sp", "sp", "sp", "sp" },
		{ "", "", "fsp", "fsp", "fsp", "fsp" },
		{ "", "x", "", "", "", "" },
		{ "Hell", "Hello", "", "", "", "" },
		{ "Crème Brûlée", "creme brulee", "", "", "", "fsp" },
		{ "Crème Brûlée", "Creme Brulee", "", "", "fsp", "fsp" },
		{ "Crème Brûlée", "CRÈME BRÛLÉE", "", "fsp", "", "fsp" },
		{ "Creme Brulee", "Brûlée", "", "", "s", "s" },
		/* decomposed and composed are the same without case */
		{ "Cre\xCC\x80me", "crème", "", "fsp", "", "fsp" },
		{ "ПРИВЕТ мир", "привет", "", "sp", "", "sp" },
		{ "日本語テスト", "本語", "s", "s", "s", "s" },
	};
	static const struct {
		char name;
		uint16_t low;
	} lows[] = {
		{ 'f', FL_FULLSTRING }, { 's', FL_SUBSTRING },
		{ 'p', FL_PREFIX },
	};
	unsigned int i, j, k;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		const char *expected[] = {
			tests[i].exact, tests[i].icase, tests[i].nonspace,
			tests[i].loose,
		};
		static const uint16_t highs[] = {
			0, FL_IGNORECASE, FL_IGNORENONSPACE, FL_LOOSE,
		};

		for (j = 0; j < N_ELEMENTS(highs); j++) {
			for (k = 0; k < N_ELEMENTS(lows); k++) {
				struct mapi_restriction res =
					content(lows[k].low, highs[j], TAG_STR,
						mapi_value_str(tests[i].wanted));
				bool want = strchr(expected[j],
						   lows[k].name) != NULL;

				if (match_context(&res, (void *)tests[i].value)
				    != want) {
					fail_msg("\"%s\" in \"%s\", level "
						 "%u %u", tests[i].wanted,
						 tests[i].value, lows[k].low,
						 highs[j]);
				}
			}
		}
	}
}

static void test_content_types(void **state)
{
	struct mapi_restriction res;
	struct mapi_value str8 = { .type = PTYP_STRING8 };

	res = content(FL_PREFIX, 0, TAG_BIN, mapi_value_bin("SMTP:", 5));
	assert_true(match(&res));
	res = content(FL_PREFIX, FL_IGNORECASE, TAG_BIN,
		      mapi_value_bin("smtp:", 5));
	assert_false(match(&res));
	res = content(FL_SUBSTRING, 0, TAG_BIN, mapi_value_bin("A@B", 4));
	assert_true(match(&res));
	/* never without the property */
	res = content(FL_SUBSTRING, 0, TAG_ABSENT_STR, mapi_value_str(""));
	assert_false(match(&res));
	/* 8-bit strings in windows-1252 */
	str8.u.str8 = "M\xDCnchen";
	res = content(FL_SUBSTRING, FL_IGNORECASE, TAG_STR8, str8);
	assert_true(match(&res));
}

static void test_other(void **state)
{
	struct mapi_restriction res;
	struct mapi_property comment = {
		.tag = TAG_INT, .value = mapi_value_i32(1),
	};

	/* 0x81 & mask */
	static const struct {
		uint32_t tag, mask;
		bool eqz;
	} masks[] = {
		{ TAG_INT2, 0x01, FALSE }, { TAG_INT2, 0x02, TRUE },
		{ TAG_INT2, 0x83, FALSE }, { TAG_INT2, 0, TRUE },
		{ TAG_INT, 0x80000000U, FALSE }, { TAG_ABSENT, ~0U, TRUE },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(masks); i++) {
		i_zero(&res);
		res.type = RES_BITMASK;
		res.u.bitmask.tag = masks[i].tag;
		res.u.bitmask.mask = masks[i].mask;
		res.u.bitmask.relop = BMR_EQZ;
		assert_int_equal(match(&res), masks[i].eqz);
		res.u.bitmask.relop = BMR_NEZ;
		assert_int_equal(match(&res), !masks[i].eqz);
	}

	i_zero(&res);
	res.type = RES_EXIST;
	res.u.exist.tag = TAG_STR;
	assert_true(match(&res));
	res.u.exist.tag = TAG_ABSENT;
	assert_false(match(&res));

	i_zero(&res);
	res.type = RES_COMPAREPROPS;
	res.u.compare.relop = RELOP_EQ;
	res.u.compare.tag1 = TAG_STR;
	res.u.compare.tag2 = TAG_STR;
	assert_true(match(&res));
	res.u.compare.tag2 = TAG_ABSENT_STR;
	assert_false(match(&res));
	res.u.compare.relop = RELOP_GT;
	assert_true(match(&res));
	res.u.compare.relop = RELOP_EQ;
	res.u.compare.tag1 = TAG_ABSENT;
	assert_true(match(&res));

	/* 4 bytes; strings as UTF-16 with their NUL */
	i_zero(&res);
	res.type = RES_SIZE;
	res.u.size.relop = RELOP_EQ;
	res.u.size.tag = TAG_INT;
	res.u.size.size = 4;
	assert_true(match(&res));
	res.u.size.tag = TAG_STR;
	res.u.size.size = 2 * (17 + 1);
	assert_true(match(&res));
	res.u.size.tag = TAG_ABSENT;
	res.u.size.size = 0;
	assert_true(match(&res));

	i_zero(&res);
	res.type = RES_COMMENT;
	res.u.comment.count = 1;
	res.u.comment.values = &comment;
	assert_true(match(&res));
	struct mapi_restriction child = { .type = RES_EXIST };
	child.u.exist.tag = TAG_ABSENT;
	res.u.comment.child = &child;
	assert_false(match(&res));

	i_zero(&res);
	res.type = RES_NULL;
	assert_true(match(&res));
}

static void test_logic(void **state)
{
	struct mapi_restriction items[3], res;

	memset(items, 0, sizeof(items));
	items[0].type = items[1].type = items[2].type = RES_EXIST;
	items[0].u.exist.tag = TAG_STR;
	items[1].u.exist.tag = TAG_ABSENT;
	items[2].u.exist.tag = TAG_INT;

	i_zero(&res);
	res.type = RES_AND;
	res.u.list.items = items;
	res.u.list.count = 3;
	get_count = 0;
	assert_false(match(&res));
	/* it isn't asked for what doesn't matter */
	assert_int_equal(get_count, 2);
	res.u.list.count = 1;
	assert_true(match(&res));
	res.u.list.count = 0;
	assert_true(match(&res));

	res.type = RES_OR;
	res.u.list.count = 3;
	get_count = 0;
	assert_true(match(&res));
	assert_int_equal(get_count, 1);
	res.u.list.count = 0;
	assert_false(match(&res));

	res.type = RES_NOT;
	res.u.child = &items[0];
	assert_false(match(&res));
	res.u.child = &items[1];
	assert_true(match(&res));
}

/* The needle that belongs to a content restriction is found whatever was
   skipped before it. */
static void test_skipped(void **state)
{
	struct mapi_restriction inner[2], outer[3], res;

	memset(outer, 0, sizeof(outer));
	inner[0] = content(FL_SUBSTRING, FL_IGNORECASE, TAG_STR,
			   mapi_value_str("aus"));
	inner[1] = content(FL_SUBSTRING, FL_IGNORECASE, TAG_STR,
			   mapi_value_str("never"));
	outer[0].type = RES_OR;
	outer[0].u.list.count = 2;
	outer[0].u.list.items = inner;
	outer[1] = content(FL_PREFIX, FL_IGNORECASE, TAG_STR,
			   mapi_value_str("grü"));
	outer[2] = content(FL_PREFIX, FL_IGNORECASE, TAG_STR,
			   mapi_value_str("aus"));
	i_zero(&res);
	res.type = RES_AND;
	res.u.list.items = outer;
	res.u.list.count = 2;
	assert_true(match(&res));
	res.u.list.count = 3;
	assert_false(match(&res));
}

static void test_sub_objects(void **state)
{
	struct mapi_restriction both[2], child, res;

	both[0] = property(RELOP_EQ, PIDTAG_RECIPIENT_TYPE, mapi_value_i32(1));
	both[1] = content(FL_FULLSTRING, FL_IGNORECASE, PIDTAG_DISPLAY_NAME,
			  mapi_value_str("anna"));
	i_zero(&child);
	child.type = RES_AND;
	child.u.list.count = 2;
	child.u.list.items = both;
	i_zero(&res);
	res.type = RES_SUBRESTRICTION;
	res.u.sub.tag = PIDTAG_MESSAGE_RECIPIENTS;
	res.u.sub.child = &child;
	assert_true(match(&res));
	/* both have to be true of one of them */
	both[0].u.property.value.value = mapi_value_i32(2);
	assert_false(match(&res));
	both[1].u.content.value.value = mapi_value_str("BERT");
	assert_true(match(&res));
	/* there are none */
	res.u.sub.tag = PIDTAG_MESSAGE_ATTACHMENTS;
	assert_false(match(&res));
}

static void test_count(void **state)
{
	struct mapi_restriction child = { .type = RES_EXIST };
	struct mapi_restriction res = { .type = RES_COUNT };
	struct mapi_restriction_eval *eval;
	bool matched;
	unsigned int i;

	child.u.exist.tag = TAG_STR;
	res.u.count.count = 2;
	res.u.count.child = &child;
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_NONE);
	assert_true(mapi_restriction_eval_counts(eval));
	for (i = 0; i < 6; i++) {
		if (i == 3)
			mapi_restriction_eval_reset(eval);
		assert_int_equal(mapi_restriction_eval_match(eval,
				&test_object, NULL, &matched), EC_NONE);
		assert_int_equal(matched, i % 3 < 2);
	}
	talloc_free(eval);
}

static void test_invalid(void **state)
{
	struct mapi_restriction_eval *eval;
	struct mapi_restriction *deep, res;
	unsigned int i;

	res = property(RELOP_MEMBER_OF_DL, TAG_INT, mapi_value_i32(0));
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_TOO_COMPLEX);
	res = property(0x06, TAG_INT, mapi_value_i32(0));
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_INVALID_PARAM);
	res = content(3, 0, TAG_STR, mapi_value_str(""));
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_INVALID_PARAM);
	res = content(FL_PREFIX, 0, TAG_INT, mapi_value_i32(0));
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_INVALID_PARAM);
	i_zero(&res);
	res.type = RES_SUBRESTRICTION;
	res.u.sub.tag = TAG_STR;
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_INVALID_PARAM);

	deep = talloc_zero_array(NULL, struct mapi_restriction,
				 MAPI_WIRE_MAX_DEPTH + 2);
	for (i = 0; i < MAPI_WIRE_MAX_DEPTH + 1; i++) {
		deep[i].type = RES_NOT;
		deep[i].u.child = &deep[i + 1];
	}
	deep[i].type = RES_NULL;
	assert_int_equal(mapi_restriction_eval_init(NULL, deep, 0, &eval),
			 EC_TOO_COMPLEX);
	/* one less is evaluated */
	assert_true(match(deep + 2) == ((MAPI_WIRE_MAX_DEPTH - 1) % 2 == 0));
	talloc_free(deep);
}

static void test_tags(void **state)
{
	struct mapi_restriction items[4], res;
	struct mapi_restriction_eval *eval;
	const uint32_t *tags;
	unsigned int count;

	items[0] = property(RELOP_EQ, TAG_INT, mapi_value_i32(1));
	items[1] = content(FL_PREFIX, 0, TAG_STR8, mapi_value_str("x"));
	items[2] = items[0];
	items[3] = content(FL_PREFIX, 0, TAG_STR, mapi_value_str("y"));
	i_zero(&res);
	res.type = RES_OR;
	res.u.list.count = 4;
	res.u.list.items = items;
	assert_int_equal(mapi_restriction_eval_init(NULL, &res, 0, &eval),
			 EC_NONE);
	tags = mapi_restriction_eval_tags(eval, &count);
	assert_int_equal(count, 2);
	assert_int_equal(tags[0], TAG_INT);
	assert_int_equal(tags[1], TAG_STR);
	assert_false(mapi_restriction_eval_counts(eval));
	talloc_free(eval);
}

/* longer than what the folded string begins with */
static void test_content_long(void **state ATTR_UNUSED)
{
	struct mapi_restriction res;
	string_t *text = t_str_new(4096), *needle = t_str_new(4096);
	unsigned int i;

	for (i = 0; i < 500; i++) {
		str_append(text, i % 7 == 0 ? "Ä" : "ab");
		str_append(needle, i % 7 == 0 ? "A" : "ab");
	}
	res = content(FL_FULLSTRING, FL_IGNORENONSPACE, TAG_STR,
		      mapi_value_str(str_c(needle)));
	assert_true(match_context(&res, (void *)str_c(text)));
	res = content(FL_FULLSTRING, FL_IGNORENONSPACE | FL_IGNORECASE,
		      TAG_STR, mapi_value_str(str_c(needle)));
	assert_true(match_context(&res, (void *)str_c(text)));
	str_append_c(needle, 'x');
	res = content(FL_FULLSTRING, FL_IGNORENONSPACE, TAG_STR,
		      mapi_value_str(str_c(needle)));
	assert_false(match_context(&res, (void *)str_c(text)));

	res = property(RELOP_EQ, TAG_STR, mapi_value_str(str_c(text)));
	assert_true(match_context(&res, (void *)str_c(text)));
	res = property(RELOP_GT, TAG_STR, mapi_value_str("ÄÖ"));
	assert_false(match_context(&res, (void *)str_c(text)));
}

/* The address book's protocol can leave strings out. */
static void test_absent_strings(void **state ATTR_UNUSED)
{
	const char *strings[] = { "Blue", NULL };
	struct mapi_value absent = { .type = PTYP_STRING };
	struct mapi_value absent8 = { .type = PTYP_STRING8 };
	struct mapi_value multi = { .type = PTYP_MULTIPLE_STRING };
	struct mapi_restriction res;

	multi.u.mv.count = N_ELEMENTS(strings);
	multi.u.mv.v.str = strings;

	res = property(RELOP_EQ, TAG_STR, absent);
	assert_false(match(&res));
	res = property(RELOP_NE, TAG_STR8, absent8);
	assert_true(match(&res));
	res = content(FL_FULLSTRING, 0, TAG_STR, absent);
	assert_false(match(&res));
	res = content(FL_PREFIX, FL_IGNORECASE, TAG_STR, absent8);
	assert_true(match(&res));
	res = property(RELOP_EQ, TAG_MV, multi);
	assert_false(match(&res));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_multi_value),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_content_types),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_logic),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_sub_objects),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_absent_strings),
		cmocka_unit_test(test_content_long),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
