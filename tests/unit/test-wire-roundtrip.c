/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What has been written reads back the same, for every operation and body;
   what is cut short anywhere is refused. */

#include "wire-random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 40

static uint64_t seed;

struct codec {
	const struct wire_struct *type;
	enum mapi_wire_form form;
	/* RopId that is written; -1 for none */
	int rop_id;
};

static bool has_rest(const struct wire_struct *type)
{
	return type->count == 0 ||
		(type->fields[type->count - 1].array == WIRE_REST &&
		 !type->fields[type->count - 2].span);
}

/* Reads from memory of exactly that size, so that the sanitizer sees a read
   past the end. */
static bool decode_copy(TALLOC_CTX *mem, const struct codec *codec,
			const struct rop_wire_context *ctx,
			const uint8_t *data, size_t size, void *v,
			size_t *used_r, void **copy_r)
{
	struct mapi_pull pull;
	enum mapi_error error;
	bool ok;

	*copy_r = malloc(size == 0 ? 1 : size);
	if (size > 0)
		memcpy(*copy_r, data, size);
	mapi_pull_init(&pull, mem, *copy_r, size);
	pull.form = codec->form;
	ok = wire_pull_struct(&pull, codec->type, ctx, v, &error);
	if (ok)
		assert_int_equal(error, EC_NONE);
	*used_r = pull.pos;
	return ok;
}

static void test_truncation(TALLOC_CTX *mem, const struct codec *codec,
			    const struct rop_wire_context *ctx,
			    const uint8_t *data, size_t size)
{
	void *v = talloc_zero_size(mem, codec->type->size + 1), *copy;
	size_t cut, used, step = size > 2000 ? 7 : 1;

	if (has_rest(codec->type))
		return;
	for (cut = 0; cut < size; cut += step) {
		TALLOC_CTX *tmp = talloc_new(mem);

		if (decode_copy(tmp, codec, ctx, data, cut, v, &used, &copy))
			fail_msg("%s: %zu of %zu bytes are enough",
				 codec->type->name, cut, size);
		free(copy);
		talloc_free(tmp);
	}
}

static void test_one(const struct codec *codec,
		     const struct rop_wire_context *ctx, uint64_t s)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct wire_random rnd;
	struct mapi_push push, again, counting;
	void *v, *v2, *copy;
	size_t used;
	char *str;

	wire_random_init(&rnd, mem, s);
	rnd.form = codec->form;
	v = talloc_zero_size(mem, codec->type->size + 1);
	v2 = talloc_zero_size(mem, codec->type->size + 1);
	wire_random_struct(&rnd, codec->type, ctx, v);

	mapi_push_init(&push, mem, 0);
	push.form = codec->form;
	if (!wire_push_struct(&push, codec->type, ctx, v))
		fail_msg("%s: can't be written: %d, seed %llu",
			 codec->type->name, push.status, (unsigned long long)s);
	mapi_push_init_counting(&counting);
	counting.form = codec->form;
	assert_true(wire_push_struct(&counting, codec->type, ctx, v));
	assert_int_equal(counting.size, push.size);

	if (!decode_copy(mem, codec, ctx, push.data, push.size, v2, &used,
			 &copy))
		fail_msg("%s: can't be read, seed %llu", codec->type->name,
			 (unsigned long long)s);
	assert_int_equal(used, push.size);
	if (!wire_struct_equal(codec->type, ctx, v, v2))
		fail_msg("%s: differs, seed %llu", codec->type->name,
			 (unsigned long long)s);

	mapi_push_init(&again, mem, 0);
	again.form = codec->form;
	assert_true(wire_push_struct(&again, codec->type, ctx, v2));
	assert_int_equal(again.size, push.size);
	if (push.size > 0)
		assert_memory_equal(again.data, push.data, push.size);

	/* a limit one byte too low is noticed */
	if (push.size > 1) {
		mapi_push_init(&again, mem, push.size - 1);
		again.form = codec->form;
		assert_false(wire_push_struct(&again, codec->type, ctx, v));
		assert_int_equal(again.status, MAPI_WIRE_FULL);
	}
	str = talloc_strdup(mem, "");
	wire_print_struct(&str, codec->type, ctx, v2);
	assert_non_null(str);

	test_truncation(mem, codec, ctx, push.data, push.size);
	free(copy);
	talloc_free(mem);
}

static void test_type(const struct wire_struct *type, enum mapi_wire_form form)
{
	struct codec codec = { .type = type, .form = form };
	static const uint32_t columns[] = {
		0x67480014, 0x674a0014, 0x0037001f, 0x0e060040, 0x0e1b000b,
		0x00000000, 0x101f3001 & 0xffff0000, 0x8001301f, 0x30010102,
		0x0ff90102, 0x0e080003, 0x3001001e,
	};
	struct rop_wire_context ctx = {
		.columns = columns,
		.column_count = sizeof(columns) / sizeof(columns[0]),
	};
	unsigned int i;

	if (type == NULL)
		return;
	for (i = 0; i < ROUNDS; i++) {
		ctx.public_logon = i % 2 != 0;
		test_one(&codec, &ctx, seed + i);
	}
}

static void test_rops(void **state)
{
	unsigned int i, count = 0;

	for (i = 0; i < 256; i++) {
		const struct rop_codec *codec = rop_codec_find((uint8_t)i);

		if (codec == NULL)
			continue;
		assert_int_equal(codec->id, i);
		test_type(codec->request, MAPI_WIRE_ROP);
		test_type(codec->response, MAPI_WIRE_ROP);
		count++;
	}
	/* [MS-OXCROPS] 2.2.2: 128 and 4 that only servers send */
	assert_int_equal(count, 132);
}

static void test_bodies(void **state)
{
	unsigned int i;

	for (i = 0; i < mapihttp_codecs_count; i++) {
		const struct mapihttp_codec *codec = &mapihttp_codecs[i];
		enum mapi_wire_form form =
			(codec->endpoints & MAPIHTTP_NSPI) != 0 ?
			MAPI_WIRE_ADDRESSBOOK : MAPI_WIRE_ROP;

		test_type(codec->request, form);
		test_type(codec->response, form);
	}
}

static void test_restrictions(void **state)
{
	static const enum mapi_wire_form forms[] = {
		MAPI_WIRE_ROP, MAPI_WIRE_EXTENDED, MAPI_WIRE_ADDRESSBOOK
	};
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct mapi_restriction *res, *res2, *copy;
		struct wire_random rnd;
		struct mapi_push push;
		struct mapi_pull pull;
		char *str;

		wire_random_init(&rnd, mem, seed + i);
		rnd.form = forms[i % 3];
		res = wire_random_restriction(&rnd);
		mapi_push_init(&push, mem, 0);
		push.form = rnd.form;
		assert_true(mapi_push_restriction(&push, res));
		mapi_pull_init(&pull, mem, push.data, push.size);
		pull.form = rnd.form;
		res2 = mapi_pull_restriction(&pull);
		assert_non_null(res2);
		assert_int_equal(pull.pos, pull.size);
		assert_int_equal(pull.depth, 0);
		if (!mapi_restriction_equal(res, res2))
			fail_msg("differs, seed %llu",
				 (unsigned long long)seed + i);
		copy = mapi_restriction_copy(NULL, res2);
		str = talloc_strdup(mem, "");
		mapi_restriction_print(&str, copy);
		assert_true(strlen(str) > 0);
		/* the copy stands alone */
		memset(push.data, 0, push.size);
		assert_true(mapi_restriction_equal(res, copy));
		talloc_free(mem);
		talloc_free(copy);
	}
}

static void test_rule_actions(void **state)
{
	unsigned int i;

	for (i = 0; i < 3000; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct mapi_rule_actions *actions, *actions2, *copy;
		struct wire_random rnd;
		struct mapi_push push;
		struct mapi_pull pull;

		wire_random_init(&rnd, mem, seed + i);
		rnd.form = i % 2 == 0 ? MAPI_WIRE_ROP : MAPI_WIRE_EXTENDED;
		actions = wire_random_rule_actions(&rnd);
		mapi_push_init(&push, mem, 0);
		push.form = rnd.form;
		assert_true(mapi_push_rule_actions(&push, actions));
		mapi_pull_init(&pull, mem, push.data, push.size);
		pull.form = rnd.form;
		actions2 = mapi_pull_rule_actions(&pull);
		assert_non_null(actions2);
		assert_int_equal(pull.pos, pull.size);
		assert_true(mapi_rule_actions_equal(actions, actions2));
		copy = mapi_rule_actions_copy(NULL, actions2);
		memset(push.data, 0, push.size);
		assert_true(mapi_rule_actions_equal(actions, copy));
		talloc_free(mem);
		talloc_free(copy);
	}
}

static void test_values(void **state)
{
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct mapi_property prop, prop2;
		struct mapi_value copy;
		struct wire_random rnd;
		struct mapi_push push;
		struct mapi_pull pull;

		wire_random_init(&rnd, mem, seed + i);
		rnd.form = (enum mapi_wire_form)(i % 3);
		wire_random_property(&rnd, &prop);
		mapi_push_init(&push, mem, 0);
		push.form = rnd.form;
		assert_true(mapi_push_tagged_value(&push, &prop));
		if (rnd.form == MAPI_WIRE_ROP && prop.value.type != PTYP_NULL &&
		    prop.value.type != PTYP_OBJECT) {
			assert_int_equal(mapi_value_wire_size(&prop.value) + 4,
					 push.size);
		}
		mapi_pull_init(&pull, mem, push.data, push.size);
		pull.form = rnd.form;
		assert_true(mapi_pull_tagged_value(&pull, &prop2));
		assert_int_equal(pull.pos, pull.size);
		assert_int_equal(prop.tag, prop2.tag);
		assert_true(mapi_value_equal(&prop.value, &prop2.value));
		assert_true(mapi_value_copy(mem, &copy, &prop2.value));
		memset(push.data, 0, push.size);
		assert_true(mapi_value_equal(&prop.value, &copy));
		talloc_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rops),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_rule_actions),
		cmocka_unit_test(test_values),
	};

	seed = wire_random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
