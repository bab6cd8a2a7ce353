/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entry ids, XIDs, predecessor change lists, id sets. */

#include "mapi-entryid.h"
#include "mapi-idset.h"
#include "wire-hex.h"
#include "wire-random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static TALLOC_CTX *mem;
static uint64_t seed;

static int setup(void **state)
{
	mem = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(mem);
	return 0;
}

static void bin_is(const struct mapi_binary *bin, const char *hex)
{
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	assert_int_equal(bin->len, size);
	assert_memory_equal(bin->data, data, size);
}

/* [MS-OXCDATA] 2.2.1.1: bytes 0-1 replica id, 2-7 GLOBCNT big-endian */
static void test_ids(void **state)
{
	const mapi_id_t id = MAPI_ID(0x0201, 0x030405060708);
	struct mapi_push push;
	struct mapi_pull pull;

	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_id(&push, id));
	assert_memory_equal(push.data, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	mapi_pull_init(&pull, mem, push.data, 8);
	assert_true(mapi_pull_id(&pull) == id);
	assert_true(mapi_id_to_i64(id) == 0x0807060504030201);
	assert_true(mapi_id_from_i64(0x0807060504030201) == id);
	/* order of GLOBCNTs is the order of ids */
	assert_true(MAPI_ID(1, 0x100) > MAPI_ID(1, 0xff));
	assert_int_equal(mapi_value_id(id).type, PTYP_INTEGER64);
}

static const struct mapi_guid mailbox = { {
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f
} };
static const struct mapi_guid replica = { {
	0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
	0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f
} };

static void test_object_entry_ids(void **state)
{
	struct mapi_binary bin;
	struct mapi_entry_id eid;

	bin = mapi_folder_entry_id_build(mem, &mailbox, &replica, 0x0d);
	bin_is(&bin, "00000000 101112131415161718191a1b1c1d1e1f 0100"
	       "202122232425262728292a2b2c2d2e2f 00000000000d 0000");
	assert_int_equal(bin.len, 46);
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_FOLDER);
	assert_memory_equal(&eid.u.object.provider, &mailbox, 16);
	assert_memory_equal(&eid.u.object.folder.guid, &replica, 16);
	assert_true(eid.u.object.folder.globcnt == 0x0d);

	bin = mapi_message_entry_id_build(mem, &mailbox, &replica, 0x0d,
					  0x123456789abc);
	bin_is(&bin, "00000000 101112131415161718191a1b1c1d1e1f 0700"
	       "202122232425262728292a2b2c2d2e2f 00000000000d 0000"
	       "202122232425262728292a2b2c2d2e2f 123456789abc 0000");
	assert_int_equal(bin.len, 70);
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_MESSAGE);
	assert_true(eid.u.object.message.globcnt == 0x123456789abc);
	/* cut short, or of a type that doesn't fit its size */
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len - 1, &eid),
			 MAPI_ENTRY_ID_UNKNOWN);
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, 46, &eid),
			 MAPI_ENTRY_ID_UNKNOWN);

	bin = mapi_gid_build(mem, &replica, 0x0102);
	bin_is(&bin, "202122232425262728292a2b2c2d2e2f 000000000102");
}

/* [MS-OXCDATA] 2.2.4.3 */
static void test_store_entry_id(void **state)
{
	struct mapi_binary bin = mapi_store_entry_id_build(mem, "srv",
							   "/o=x");
	struct mapi_entry_id eid;

	bin_is(&bin, "00000000 38a1bb1005e5101aa1bb08002b2a56c2 00 00"
	       "656d736d64622e646c6c00000000 00000000"
	       "1b55fa20aa6611cd9bc800aa002fc45a 0c000000"
	       "73727600 2f6f3d7800");
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_STORE);
	assert_string_equal(eid.u.store.server, "srv");
	assert_string_equal(eid.u.store.mailbox_dn, "/o=x");
	assert_false(eid.u.store.public_store);
}

/* [MS-OXCDATA] 2.2.5, [MS-OXNSPI] 2.2.9 */
static void test_address_entry_ids(void **state)
{
	struct mapi_binary bin;
	struct mapi_entry_id eid;
	size_t size;
	uint8_t *data;

	bin = mapi_addressbook_entry_id_build(mem, MAPI_AB_DISTLIST, "/o=x");
	bin_is(&bin, "00000000 dca740c8c042101ab4b908002b2fe182 01000000"
	       "01000000 2f6f3d7800");
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_ADDRESSBOOK);
	assert_int_equal(eid.u.addressbook.type, MAPI_AB_DISTLIST);
	assert_string_equal(eid.u.addressbook.dn, "/o=x");

	bin = mapi_one_off_entry_id_build(mem, "A", "SMTP", "a@b");
	bin_is(&bin, "00000000 812b1fa4bea310199d6e00dd010f5402 0000 0180"
	       "41000000 53004d00540050000000 6100400062000000");
	assert_int_equal(mapi_entry_id_parse(mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_ONE_OFF);
	assert_string_equal(eid.u.one_off.email_address, "a@b");
	/* 8-bit strings */
	data = wire_hex(mem, "00000000 812b1fa4bea310199d6e00dd010f5402 0000"
			"0000 e400 534d545000 614062 00", &size);
	assert_int_equal(mapi_entry_id_parse(mem, data, size, &eid),
			 MAPI_ENTRY_ID_ONE_OFF);
	assert_string_equal(eid.u.one_off.display_name, "\xe4");
	bin = mapi_entry_id_build(mem, &eid);
	assert_int_equal(bin.len, size);
	assert_memory_equal(bin.data, data, size);

	data = wire_hex(mem, "87000000 101112131415161718191a1b1c1d1e1f"
			"01000000 00000000 10000000", &size);
	assert_int_equal(mapi_entry_id_parse(mem, data, size, &eid),
			 MAPI_ENTRY_ID_EPHEMERAL);
	assert_int_equal(eid.u.ephemeral.mid, 0x10);
	bin = mapi_entry_id_build(mem, &eid);
	assert_int_equal(bin.len, size);
	assert_memory_equal(bin.data, data, size);

	data = wire_hex(mem, "00000000 fe42aa0a18c71a10e8850b651c240000"
			"03000000 05000000 ff000000 02000000 aabb", &size);
	assert_int_equal(mapi_entry_id_parse(mem, data, size, &eid),
			 MAPI_ENTRY_ID_CONTACT);
	assert_int_equal(eid.u.contact.index, 255);
	assert_int_equal(eid.u.contact.entry_id.len, 2);
	data[size - 6] = 3;
	assert_int_equal(mapi_entry_id_parse(mem, data, size, &eid),
			 MAPI_ENTRY_ID_UNKNOWN);

	bin = mapi_recipient_search_key_build(mem, "SMTP", "joe@example.com");
	assert_int_equal(bin.len, 21);
	assert_string_equal((const char *)bin.data, "SMTP:JOE@EXAMPLE.COM");
}

/* [MS-OXCDATA] 2.11.1.4 */
static void test_server_id(void **state)
{
	struct mapi_server_id sid = {
		MAPI_ID(1, 0x0d), MAPI_ID(1, 0x102), 3
	}, sid2;
	struct mapi_binary bin = mapi_server_id_build(mem, &sid);

	bin_is(&bin, "01 0100 00000000000d 0100 000000000102 03000000");
	assert_true(mapi_server_id_parse(&bin, &sid2));
	assert_true(sid2.fid == sid.fid && sid2.mid == sid.mid);
	assert_int_equal(sid2.instance, 3);
	((uint8_t *)(uintptr_t)bin.data)[0] = 0;
	assert_false(mapi_server_id_parse(&bin, &sid2));
}

/* --- predecessor change lists --------------------------------------------- */

#define GUID_A "000102030405060708090a0b0c0d0e0f"
#define GUID_B "100102030405060708090a0b0c0d0e0f"

static struct mapi_pcl pcl(const char *hex)
{
	struct mapi_pcl pcl;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	assert_true(mapi_pcl_parse(mem, data, size, &pcl));
	return pcl;
}

/* [MS-OXCFXICS] 2.2.2.3, 3.1.5.3 */
static void test_pcl(void **state)
{
	struct mapi_pcl a = pcl("16" GUID_A "000000000005");
	struct mapi_pcl b = pcl("16" GUID_A "000000000006");
	struct mapi_pcl ab = pcl("16" GUID_A "000000000005"
				 "16" GUID_B "000000000001");
	/* order and duplicates are mended */
	struct mapi_pcl ba = pcl("16" GUID_B "000000000001"
				 "16" GUID_A "000000000002"
				 "16" GUID_A "000000000005");
	struct mapi_pcl empty = pcl(""), bad;
	struct mapi_binary bin;
	struct mapi_xid xid;
	uint8_t *data;
	size_t size;

	assert_int_equal(mapi_pcl_compare(&a, &a), MAPI_PCL_EQUAL);
	assert_int_equal(mapi_pcl_compare(&a, &b), MAPI_PCL_OLDER);
	assert_int_equal(mapi_pcl_compare(&b, &a), MAPI_PCL_NEWER);
	assert_int_equal(mapi_pcl_compare(&ab, &a), MAPI_PCL_NEWER);
	assert_int_equal(mapi_pcl_compare(&ab, &b), MAPI_PCL_CONFLICT);
	assert_int_equal(mapi_pcl_compare(&ab, &ba), MAPI_PCL_EQUAL);
	assert_int_equal(mapi_pcl_compare(&empty, &a), MAPI_PCL_OLDER);

	assert_true(mapi_pcl_merge(mem, &b, &ab));
	bin = mapi_pcl_build(mem, &b);
	bin_is(&bin, "16" GUID_A "000000000006 16" GUID_B "000000000001");
	/* never back */
	assert_true(mapi_pcl_merge(mem, &b, &a));
	assert_int_equal(mapi_pcl_compare(&b, &ab), MAPI_PCL_NEWER);

	data = wire_hex(mem, GUID_B "000000000002", &size);
	assert_true(mapi_xid_parse(data, size, &xid));
	assert_false(mapi_pcl_includes_xid(&b, &xid));
	assert_true(mapi_pcl_add(mem, &b, &xid));
	assert_true(mapi_pcl_includes_xid(&b, &xid));
	bin = mapi_xid_build(mem, &xid);
	bin_is(&bin, GUID_B "000000000002");

	/* too short for an XID, longer than the rest */
	assert_false(mapi_pcl_parse(mem, "\x10" "0123456789abcdef", 17, &bad));
	assert_false(mapi_pcl_parse(mem, "\x16" "0123456789abcdefgh", 19,
				    &bad));
	assert_false(mapi_xid_parse(data, 16, &xid));
}

/* --- globsets ------------------------------------------------------------- */

static struct mapi_globset *globset_decode(const char *hex)
{
	struct mapi_pull pull;
	struct mapi_globset *set;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	mapi_pull_init(&pull, mem, data, size);
	set = mapi_pull_globset(&pull, mem);
	if (set != NULL)
		assert_int_equal(pull.pos, size);
	else
		assert_false(mapi_pull_ok(&pull));
	return set;
}

/* The commands of [MS-OXCFXICS] 2.2.2.6 and what 3.1.5.4.3.2 says of them */
static void test_globset_commands(void **state)
{
	static const struct {
		const char *hex;
		struct mapi_globset_range ranges[4];
	} tests[] = {
		{ "00", { { 0, 0 } } },
		/* all six bytes at once: an id; nothing stays on the stack */
		{ "06 000000000102 06 000000000105 00",
		  { { 0x102, 0x102 }, { 0x105, 0x105 } } },
		/* five common bytes, an id by the sixth, another one */
		{ "05 0000000001 01 02 01 07 50 00",
		  { { 0x102, 0x102 }, { 0x107, 0x107 } } },
		/* range without and with common bytes */
		{ "52 000000000001 000000000fff 00", { { 1, 0xfff } } },
		{ "04 00000000 52 0001 0fff 50 00", { { 1, 0xfff } } },
		/* bitmask: start, and bits for start + 1.. */
		{ "05 0000000001 42 10 85 50 00",
		  { { 0x110, 0x111 }, { 0x113, 0x113 }, { 0x118, 0x118 } } },
		{ "05 0000000001 42 10 00 50 00", { { 0x110, 0x110 } } },
		/* pushes nest; pop takes off what one has put there */
		{ "02 0000 03 000001 01 02 50 03 000002 52 00 ff 50 50 00",
		  { { 0x102, 0x102 }, { 0x200, 0x2ff } } },
		/* any order, overlaps, touching ranges */
		{ "52 000000000010 000000000020 52 000000000001 00000000000f"
		  "06 000000000021 52 000000000005 000000000018 00",
		  { { 1, 0x21 } } },
	};
	unsigned int i, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct mapi_globset *set = globset_decode(tests[i].hex);

		assert_non_null(set);
		for (n = 0; n < 4 && tests[i].ranges[n].high != 0; n++) ;
		assert_int_equal(set->count, n);
		for (n = 0; n < set->count; n++) {
			assert_true(set->ranges[n].low ==
				    tests[i].ranges[n].low);
			assert_true(set->ranges[n].high ==
				    tests[i].ranges[n].high);
		}
	}
}

static void test_globset_malformed(void **state)
{
	static const char *const tests[] = {
		"",			/* no End */
		"06 0000000001",	/* cut short */
		"07 00",		/* no such command */
		"41 00", "51 00", "ff 00",
		"50 00",		/* nothing to pop */
		"05 0000000001 50 50 00",
		"05 0000000001 02 0102 00",	/* seven bytes */
		"42 10 85 00",		/* Bitmask needs five */
		"04 00000000 42 10 85 50 00",
		"05 0000000001 42 f8 80 50 00",	/* beyond the last byte */
		"52 000000000002 000000000001 00",	/* high < low */
	};
	unsigned int i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (globset_decode(tests[i]) != NULL)
			fail_msg("%s is accepted", tests[i]);
	}
}

/* What it should look like: common bytes once, ranges, bitmasks */
static void test_globset_encode(void **state)
{
	static const struct {
		struct mapi_globset_range ranges[4];
		const char *hex;
	} tests[] = {
		{ { { 0, 0 } }, "00" },
		{ { { 0x102, 0x102 } }, "06 000000000102 00" },
		{ { { 1, 0xfff } }, "52 000000000001 000000000fff 00" },
		{ { { 0x110, 0x111 }, { 0x113, 0x113 }, { 0x118, 0x118 } },
		  "05 0000000001 42 10 85 50 00" },
		{ { { 0x110, 0x111 }, { 0x190, 0x190 } },
		  "05 0000000001 52 10 11 01 90 50 00" },
		{ { { 0x102, 0x102 }, { 0x300, 0x4ff } },
		  "04 00000000 02 0102 52 0300 04ff 50 00" },
	};
	unsigned int i, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct mapi_globset *set = mapi_globset_new(mem);
		struct mapi_push push;
		struct mapi_binary bin;

		for (n = 0; n < 4 && tests[i].ranges[n].high != 0; n++) {
			assert_true(mapi_globset_add(
				set, tests[i].ranges[n].low,
				tests[i].ranges[n].high));
		}
		mapi_push_init(&push, mem, 0);
		assert_true(mapi_push_globset(&push, set));
		bin.data = push.data;
		bin.len = (uint32_t)push.size;
		bin_is(&bin, tests[i].hex);
	}
}

/* A set of small numbers, one bool each */
#define MODEL_SIZE 600
struct model {
	bool has[MODEL_SIZE];
};

/* numbers spread over the bytes of a GLOBCNT, so that common prefixes of all
   lengths occur */
static uint64_t model_globcnt(unsigned int i)
{
	return 0x00f0f0000000ULL + (i % 100) +
		((uint64_t)(i / 100 % 2) << 8) +
		((uint64_t)(i / 200) << 24);
}

static void model_check(const struct mapi_globset *set, const struct model *m)
{
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; i < MODEL_SIZE; i++) {
		if (mapi_globset_contains(set, model_globcnt(i)) != m->has[i])
			fail_msg("%u is wrong", i);
		if (m->has[i])
			size++;
	}
	assert_true(mapi_globset_size(set) == size);
	for (i = 1; i < set->count; i++) {
		assert_true(set->ranges[i - 1].high + 1 <
			    set->ranges[i].low);
	}
}

/* one range within a hundred */
static void model_range(struct wire_random *rnd, unsigned int *low_r,
			unsigned int *high_r)
{
	*low_r = wire_random_below(rnd, MODEL_SIZE);
	*high_r = *low_r + wire_random_below(rnd, 100 - *low_r % 100);
}

static struct mapi_globset *model_random(struct wire_random *rnd,
					 struct model *m)
{
	struct mapi_globset *set = mapi_globset_new(mem);
	unsigned int n = wire_random_below(rnd, 60), low, high, i;

	memset(m, 0, sizeof(*m));
	while (n-- > 0) {
		bool add = wire_random_below(rnd, 4) != 0;

		model_range(rnd, &low, &high);
		if (wire_random_below(rnd, 2) == 0)
			high = low;
		for (i = low; i <= high; i++)
			m->has[i] = add;
		if (add) {
			assert_true(mapi_globset_add(set, model_globcnt(low),
						     model_globcnt(high)));
		} else {
			assert_true(mapi_globset_remove(
				set, model_globcnt(low),
				model_globcnt(high)));
		}
	}
	model_check(set, m);
	return set;
}

/* set algebra against the naive model, and round trips */
static void test_globset_model(void **state)
{
	struct wire_random rnd;
	unsigned int round, i;

	for (round = 0; round < 400; round++) {
		TALLOC_CTX *outer = mem;
		struct mapi_globset *a, *b, *copy, *back;
		struct model ma, mb, m;
		struct mapi_push push;
		struct mapi_pull pull;

		mem = talloc_new(outer);
		wire_random_init(&rnd, mem, seed + round);
		a = model_random(&rnd, &ma);
		b = model_random(&rnd, &mb);

		copy = mapi_globset_dup(mem, a);
		assert_true(mapi_globset_equal(a, copy));
		assert_true(mapi_globset_union(copy, b));
		for (i = 0; i < MODEL_SIZE; i++)
			m.has[i] = ma.has[i] || mb.has[i];
		model_check(copy, &m);

		copy = mapi_globset_dup(mem, a);
		assert_true(mapi_globset_subtract(copy, b));
		for (i = 0; i < MODEL_SIZE; i++)
			m.has[i] = ma.has[i] && !mb.has[i];
		model_check(copy, &m);

		copy = mapi_globset_dup(mem, a);
		assert_true(mapi_globset_intersect(copy, b));
		for (i = 0; i < MODEL_SIZE; i++)
			m.has[i] = ma.has[i] && mb.has[i];
		model_check(copy, &m);

		mapi_push_init(&push, mem, 0);
		assert_true(mapi_push_globset(&push, a));
		mapi_pull_init(&pull, mem, push.data, push.size);
		back = mapi_pull_globset(&pull, mem);
		assert_non_null(back);
		assert_int_equal(mapi_pull_left(&pull), 0);
		if (!mapi_globset_equal(a, back))
			fail_msg("differs, seed %llu",
				 (unsigned long long)seed + round);
		for (i = 0; i < push.size; i++) {
			mapi_pull_init(&pull, mem, push.data, i);
			assert_null(mapi_pull_globset(&pull, mem));
		}
		talloc_free(mem);
		mem = outer;
	}
}

/* Ranges in descending order, as nobody honest sends them: no quadratic
   work. */
static void test_globset_descending(void **state)
{
	const unsigned int count = 300000;
	struct mapi_globset *set;
	struct mapi_push push;
	struct mapi_pull pull;
	unsigned int i;

	mapi_push_init(&push, mem, 0);
	for (i = count; i > 0; i--) {
		assert_true(mapi_push_u8(&push, 6));
		assert_true(mapi_push_globcnt(&push, (uint64_t)i * 2));
	}
	assert_true(mapi_push_u8(&push, 0));
	mapi_pull_init(&pull, mem, push.data, push.size);
	set = mapi_pull_globset(&pull, mem);
	assert_non_null(set);
	assert_int_equal(set->count, count);
}

static void test_globset_limits(void **state)
{
	struct mapi_globset *set = mapi_globset_new(mem);

	assert_true(mapi_globset_add(set, 1, MAPI_GLOBCNT_MAX));
	assert_false(mapi_globset_add(set, 1, MAPI_GLOBCNT_MAX + 1));
	assert_false(mapi_globset_add(set, 2, 1));
	assert_true(mapi_globset_remove(set, MAPI_GLOBCNT_MAX,
					MAPI_GLOBCNT_MAX));
	assert_false(mapi_globset_contains(set, MAPI_GLOBCNT_MAX));
	assert_true(mapi_globset_contains(set, MAPI_GLOBCNT_MAX - 1));
	assert_true(mapi_globset_remove(set, 5, 5));
	assert_int_equal(set->count, 2);
	assert_true(mapi_globset_add(set, 5, 5));
	assert_int_equal(set->count, 1);
}

/* [MS-OXCFXICS] 2.2.2.4 */
static void test_idset(void **state)
{
	struct mapi_idset *set = mapi_idset_new(mem, false), *set2, *guids;
	struct mapi_binary bin;
	uint8_t *data;
	size_t size;

	assert_true(mapi_idset_is_empty(set));
	bin = mapi_idset_encode(mem, set);
	assert_int_equal(bin.len, 0);
	assert_true(mapi_idset_add_id(set, MAPI_ID(5, 0x200)));
	assert_true(mapi_idset_add_id(set, MAPI_ID(1, 0x102)));
	assert_true(mapi_idset_contains_id(set, MAPI_ID(1, 0x102)));
	assert_false(mapi_idset_contains_id(set, MAPI_ID(2, 0x102)));
	bin = mapi_idset_encode(mem, set);
	bin_is(&bin, "0100 06 000000000102 00 0500 06 000000000200 00");
	set2 = mapi_idset_decode(mem, false, bin.data, bin.len);
	assert_non_null(set2);
	assert_true(mapi_idset_equal(set, set2));

	/* a replica that is named twice */
	data = wire_hex(mem, "0500 06 000000000200 00 0100 06 000000000102 00"
			"0500 06 000000000201 00", &size);
	set2 = mapi_idset_decode(mem, false, data, size);
	assert_int_equal(set2->count, 2);
	assert_int_equal(set2->replicas[1].set->count, 1);
	assert_true(mapi_idset_subtract(set2, set));
	assert_true(mapi_idset_contains_id(set2, MAPI_ID(5, 0x201)));
	assert_false(mapi_idset_contains_id(set2, MAPI_ID(5, 0x200)));
	assert_null(mapi_idset_decode(mem, false, data, size - 1));
	assert_null(mapi_idset_decode(mem, false, data, 1));

	data = wire_hex(mem, GUID_B "06 000000000200 00"
			GUID_A "52 000000000001 000000000fff 00", &size);
	guids = mapi_idset_decode(mem, true, data, size);
	assert_non_null(guids);
	bin = mapi_idset_encode(mem, guids);
	bin_is(&bin, GUID_A "52 000000000001 000000000fff 00"
	       GUID_B "06 000000000200 00");
	assert_false(mapi_idset_union(guids, set));
	assert_null(mapi_idset_replid(guids, 1));
	assert_non_null(mapi_idset_find_guid(guids,
					     &guids->replicas[0].guid));
	assert_true(mapi_idset_equal(guids, mapi_idset_dup(mem, guids)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_object_entry_ids),
		cmocka_unit_test(test_store_entry_id),
		cmocka_unit_test(test_address_entry_ids),
		cmocka_unit_test(test_server_id),
		cmocka_unit_test(test_pcl),
		cmocka_unit_test(test_globset_commands),
		cmocka_unit_test(test_globset_malformed),
		cmocka_unit_test(test_globset_encode),
		cmocka_unit_test(test_globset_model),
		cmocka_unit_test(test_globset_descending),
		cmocka_unit_test(test_globset_limits),
		cmocka_unit_test(test_idset),
	};

	seed = wire_random_seed();
	return cmocka_run_group_tests(tests, setup, teardown);
}
