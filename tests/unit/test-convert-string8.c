/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* 8-bit strings and others in values, restrictions and rule actions. */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-rule.h"
#include "mapi-string8.h"
#include "wire-random.h"

#include <setjmp.h>
#include <cmocka.h>

struct counts {
	unsigned int strings, strings8, others;
};

static void count_type(struct counts *counts, uint16_t type)
{
	switch (type & ~PTYP_MULTIPLE_FLAG) {
	case PTYP_STRING:
		counts->strings++;
		break;
	case PTYP_STRING8:
		counts->strings8++;
		break;
	default:
		counts->others++;
		break;
	}
}

static void count_property(uint32_t *tag, struct mapi_value *value,
			   void *context)
{
	struct counts *counts = context;

	count_type(counts, MAPI_TAG_TYPE(*tag));
	if (value == NULL)
		return;
	count_type(counts, value->type);
	/* tag and value go together */
	if (value->type != PTYP_ERROR_CODE &&
	    (MAPI_TAG_TYPE(*tag) & ~PTYP_INSTANCE_FLAG) != PTYP_UNSPECIFIED)
		assert_int_equal(MAPI_TAG_TYPE(*tag) & ~PTYP_INSTANCE_FLAG,
				 value->type);
}

static struct counts count_strings(struct mapi_value *value)
{
	struct counts counts;

	i_zero(&counts);
	count_type(&counts, value->type);
	mapi_value_walk(value, count_property, &counts);
	return counts;
}

/* Nothing is forgotten, whatever it is in. */
static void test_random(void **state)
{
	static const uint16_t types[] = {
		PTYP_RESTRICTION, PTYP_RULE_ACTION, PTYP_STRING,
		PTYP_MULTIPLE_STRING, PTYP_STRING8, PTYP_MULTIPLE_STRING8,
		PTYP_BINARY,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct counts before, after;
	struct wire_random rnd;
	struct mapi_value value;
	unsigned int i, strings = 0;

	wire_random_init(&rnd, mem, wire_random_seed());
	for (i = 0; i < 2000; i++) {
		rnd.depth = 5;
		wire_random_value(&rnd, types[i % N_ELEMENTS(types)], &value);
		before = count_strings(&value);
		strings += before.strings;
		mapi_value_to_string8(mem, 1252, &value);
		after = count_strings(&value);
		assert_int_equal(after.strings, 0);
		assert_int_equal(after.strings8,
				 before.strings + before.strings8);
		assert_int_equal(after.others, before.others);
		mapi_value_to_string(mem, 1252, &value);
		after = count_strings(&value);
		assert_int_equal(after.strings8, 0);
		assert_int_equal(after.strings,
				 before.strings + before.strings8);
		assert_int_equal(after.others, before.others);
	}
	assert_true(strings > 300);
	talloc_free(mem);
}

static void test_code_page(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *strings[] = { "na\xc3\xafve", "\xe2\x82\xac" };
	struct mapi_restriction res = {
		.type = RES_CONTENT, .u.content = {
			.tag = 0x0037001F,
			.value = { .tag = 0x0037001F },
		},
	};
	struct mapi_value value = { .type = PTYP_MULTIPLE_STRING };

	value.u.mv.count = 2;
	value.u.mv.v.str = strings;
	mapi_value_to_string8(mem, 1252, &value);
	assert_int_equal(value.type, PTYP_MULTIPLE_STRING8);
	assert_string_equal(value.u.mv.v.str8[0], "na\xefve");
	assert_string_equal(value.u.mv.v.str8[1], "\x80");
	/* what was there is as it was */
	assert_string_equal(strings[1], "\xe2\x82\xac");
	mapi_value_to_string(mem, 1252, &value);
	assert_string_equal(value.u.mv.v.str[1], "\xe2\x82\xac");

	res.u.content.value.value = mapi_value_str(strings[0]);
	mapi_restriction_to_string8(mem, 1252, &res);
	assert_int_equal(res.u.content.tag, 0x0037001E);
	assert_int_equal(res.u.content.value.tag, 0x0037001E);
	assert_int_equal(res.u.content.value.value.type, PTYP_STRING8);
	assert_string_equal(res.u.content.value.value.u.str8, "na\xefve");
	mapi_restriction_to_string8(mem, 1252, NULL);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_code_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
