/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules of folders as they are stored, and the states that they are stored in. On
   all storage formats. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-rules.h"
#include "mapi-store-private.h"
#include "wire-random.h"

#include <setjmp.h>
#include <cmocka.h>

#include "store-fixture.h"

/* --- states ---------------------------------------------------------------- */

#define LEAF "test-state"

static void state_save(struct fixture *f, const char *data)
{
	assert_int_equal(mapi_state_save_data(f->store->companion, LEAF,
					      "test", data, strlen(data)),
			 EC_NONE);
}

static const char *state_load(struct fixture *f, mapi_state_version_t *version)
{
	const void *data;
	size_t size;
	enum mapi_error error;

	error = mapi_state_load_data(f->store->companion, LEAF, f->mem, 100,
				     version, &data, &size);
	if (error == EC_NOT_FOUND)
		return "none";
	if (error == EC_CORRUPT_DATA)
		return "corrupt";
	assert_int_equal(error, EC_NONE);
	return data == NULL ? "same" : talloc_strndup(f->mem, data, size);
}

static unsigned int state_messages(struct fixture *f)
{
	struct mailbox *box = test_storage_open(f->ts, "mapi-internal/"LEAF);
	struct mailbox_status status;

	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

/* a message that is there again, or that isn't what it should be */
static void state_append(struct fixture *f, const char *header, const char *body)
{
	const char *message = t_strdup_printf(
		"Subject: x\n%sContent-Transfer-Encoding: base64\n\n%s\n",
		header, body);

	(void)test_storage_save(f->ts, "mapi-internal/"LEAF, message,
				strlen(message), 0, NULL, 0);
}

static void test_state(void **state)
{
	struct fixture *f = *state;
	mapi_state_version_t version = 0;

	assert_false(mapi_state_exists(f->store->companion, LEAF));
	assert_string_equal(state_load(f, &version), "none");
	assert_int_equal(mapi_state_delete(f->store->companion, LEAF), EC_NONE);
	state_save(f, "one");
	state_save(f, "two");
	assert_true(mapi_state_exists(f->store->companion, LEAF));
	assert_int_equal(state_messages(f), 1);
	assert_string_equal(state_load(f, &version), "two");
	assert_string_equal(state_load(f, &version), "same");
	assert_string_equal(state_load(f, NULL), "two");

	/* brought back by an mdbox; of a newer one of another server's;
	   somebody else's */
	state_append(f, "X-MAPI-State: 1 1\n", "b25l");
	assert_string_equal(state_load(f, NULL), "two");
	assert_string_equal(state_load(f, &version), "same");
	state_append(f, "X-MAPI-State: 2 1\n", "b3RoZXI=");
	state_append(f, "", "cm9nYmFk");
	state_append(f, "X-MAPI-State: x 1\n", "cm9nYmFk");
	assert_string_equal(state_load(f, &version), "other");
	fixture_reopen(f);
	assert_string_equal(state_load(f, NULL), "other");
	state_save(f, "three");
	assert_int_equal(state_messages(f), 1);
	assert_string_equal(state_load(f, &version), "three");

	/* the end stays the end */
	assert_int_equal(mapi_state_delete(f->store->companion, LEAF), EC_NONE);
	state_append(f, "X-MAPI-State: 3 1\n", "dGhyZWU=");
	assert_false(mapi_state_exists(f->store->companion, LEAF));
	assert_string_equal(state_load(f, &version), "none");
	assert_true(version == 0);
	state_save(f, "again");
	assert_string_equal(state_load(f, NULL), "again");
}

static void test_state_broken(void **state)
{
	struct fixture *f = *state;
	char large[101];

	state_append(f, "X-MAPI-State: 7 1\n", "b25l*&^%$b25l");
	assert_string_equal(state_load(f, NULL), "corrupt");
	memset(large, 'x', sizeof(large));
	large[100] = '\0';
	state_save(f, large);
	assert_string_equal(state_load(f, NULL), large);
	state_append(f, "X-MAPI-State: 9 1\n", t_strconcat(
		"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n",
		"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n",
		"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n", NULL));
	assert_string_equal(state_load(f, NULL), "corrupt");
}

/* --- rules as bytes --------------------------------------------------------- */

static bool rules_equal(const struct mapi_rules *a, const struct mapi_rules *b)
{
	unsigned int i, j;

	if (a->count != b->count)
		return FALSE;
	for (i = 0; i < a->count; i++) {
		if (a->rules[i].id != b->rules[i].id)
			return FALSE;
		for (j = 0; j < MAPI_RULE_PROP_COUNT; j++) {
			if (a->rules[i].values[j].type !=
			    b->rules[i].values[j].type ||
			    (a->rules[i].values[j].type != PTYP_UNSPECIFIED &&
			     !mapi_value_equal(&a->rules[i].values[j],
					       &b->rules[i].values[j])))
				return FALSE;
		}
	}
	return TRUE;
}

static struct mapi_rules *
random_rules(TALLOC_CTX *mem, struct wire_random *rnd)
{
	struct mapi_rules *rules = talloc_zero(mem, struct mapi_rules);
	unsigned int i, j;

	rules->count = wire_random_below(rnd, 6);
	rules->rules = talloc_zero_array(rules, struct mapi_rule,
					 rules->count);
	for (i = 0; i < rules->count; i++) {
		rules->rules[i].id = (int64_t)wire_random_u64(rnd);
		for (j = 0; j < MAPI_RULE_PROP_COUNT; j++) {
			if (wire_random_below(rnd, 4) == 0)
				continue;
			rnd->depth = 4;
			wire_random_value(rnd,
				MAPI_TAG_TYPE(mapi_rule_prop_tags[j]),
				&rules->rules[i].values[j]);
		}
	}
	return rules;
}

static void test_codec(void **state)
{
	struct fixture *f = *state;
	struct mapi_rules *rules, *decoded;
	struct wire_random rnd;
	TALLOC_CTX *mem;
	const void *data;
	uint8_t *broken;
	size_t size, pos;
	enum mapi_error error;
	unsigned int i, j, fitting = 0;

	wire_random_init(&rnd, f->mem, wire_random_seed());
	for (i = 0; i < 400; i++) {
		rnd.mem = mem = talloc_new(f->mem);
		rules = random_rules(mem, &rnd);
		error = mapi_rules_encode(f->store, rules, mem, &data, &size);
		if (error == EC_NOT_ENOUGH_MEMORY) {
			talloc_free(mem);
			continue;
		}
		assert_int_equal(error, EC_NONE);
		fitting++;
		assert_int_equal(mapi_rules_decode(f->store, mem, data, size,
						   &decoded), EC_NONE);
		assert_true(rules_equal(rules, decoded));

		/* what is cut off is noticed, what is changed does no harm */
		pos = wire_random_below(&rnd, size);
		assert_int_equal(mapi_rules_decode(f->store, mem, data, pos,
						   &decoded), EC_CORRUPT_DATA);
		broken = talloc_memdup(mem, data, size);
		for (j = 0; j < 10; j++) {
			/* not the names: there'd be an id for each */
			pos = 4 + wire_random_below(&rnd, size - 4);
			broken[pos] ^= 1 << wire_random_below(&rnd, 8);
			(void)mapi_rules_decode(f->store, mem, broken, size,
						&decoded);
		}
		talloc_free(mem);
	}
	assert_true(fitting > 100);
}

static uint16_t name_id(struct fixture *f, uint32_t lid)
{
	const struct mapi_property_name name = {
		.kind = MAPI_NAME_LID, .guid = PSETID_TASK, .lid = lid,
	};
	uint16_t id;

	assert_int_equal(mapi_store_names_to_ids(f->store, &name, 1, TRUE,
						 &id), EC_NONE);
	return id;
}

/* Another store has other ids for names. */
static void test_codec_names(void **state)
{
	struct fixture *f = *state;
	const char *driver = f->ts->driver;
	struct mapi_restriction exist[3], list;
	struct mapi_rule_actions actions;
	struct mapi_action action;
	struct mapi_rule rule;
	struct mapi_rules rules = { .rules = &rule, .count = 1 }, *decoded;
	const struct mapi_restriction *res;
	TALLOC_CTX *mem = talloc_new(NULL);
	const void *data;
	uint16_t id1, id2;
	size_t size;

	i_zero(&rule);
	i_zero(&list);
	i_zero(&exist);
	i_zero(&actions);
	i_zero(&action);
	id1 = name_id(f, 1);
	id2 = name_id(f, 2);
	exist[0].type = exist[1].type = exist[2].type = RES_EXIST;
	exist[0].u.exist.tag = MAPI_TAG(id1, PTYP_STRING);
	exist[1].u.exist.tag = MAPI_TAG(id2, PTYP_BINARY);
	/* one that has no name */
	exist[2].u.exist.tag = MAPI_TAG(0xfffe, PTYP_BINARY);
	list.type = RES_AND;
	list.u.list.count = 3;
	list.u.list.items = exist;
	rule.id = 5;
	rule.values[MAPI_RULE_CONDITION].type = PTYP_RESTRICTION;
	rule.values[MAPI_RULE_CONDITION].u.restriction = &list;
	action.type = MAPI_OP_TAG;
	action.u.tag.tag = MAPI_TAG(id2, PTYP_STRING);
	action.u.tag.value = mapi_value_str("x");
	actions.count = 1;
	actions.actions = &action;
	rule.values[MAPI_RULE_ACTIONS].type = PTYP_RULE_ACTION;
	rule.values[MAPI_RULE_ACTIONS].u.actions = &actions;
	assert_int_equal(mapi_rules_encode(f->store, &rules, mem,
					   &data, &size), EC_NONE);

	fixture_close(f);
	test_storage_deinit(&f->ts);
	f->ts = test_storage_init(driver);
	fixture_open(f);
	assert_int_equal(name_id(f, 2), id1);
	assert_int_equal(mapi_rules_decode(f->store, mem, data, size,
					   &decoded), EC_NONE);
	assert_int_equal(name_id(f, 1), id2);
	res = decoded->rules[0].values[MAPI_RULE_CONDITION].u.restriction;
	assert_int_equal(res->u.list.items[0].u.exist.tag,
			 MAPI_TAG(id2, PTYP_STRING));
	assert_int_equal(res->u.list.items[1].u.exist.tag,
			 MAPI_TAG(id1, PTYP_BINARY));
	assert_int_equal(res->u.list.items[2].u.exist.tag,
			 MAPI_TAG(0xfffe, PTYP_BINARY));
	assert_int_equal(decoded->rules[0].values[MAPI_RULE_ACTIONS].
			 u.actions->actions[0].u.tag.tag,
			 MAPI_TAG(id1, PTYP_STRING));
	talloc_free(mem);
}

/* --- changing ---------------------------------------------------------------- */

static struct mapi_restriction exist_subject = {
	.type = RES_EXIST, .u.exist = { PIDTAG_SUBJECT },
};
static struct mapi_action delete_action = { .type = MAPI_OP_DELETE };
static struct mapi_rule_actions delete_actions = { 1, &delete_action };

static struct mapi_property prop_i32(uint32_t tag, int32_t i)
{
	struct mapi_property prop = { tag, mapi_value_i32(i) };

	return prop;
}

static unsigned int
new_rule(struct mapi_property *props, const char *name, int32_t sequence)
{
	memset(props, 0, sizeof(*props) * 5);
	props[0].tag = PIDTAG_RULE_NAME;
	props[0].value = mapi_value_str(name);
	props[1] = prop_i32(PIDTAG_RULE_SEQUENCE, sequence);
	props[2].tag = PIDTAG_RULE_PROVIDER;
	props[2].value = mapi_value_str("test");
	props[3].tag = PIDTAG_RULE_CONDITION;
	props[3].value.type = PTYP_RESTRICTION;
	props[3].value.u.restriction = &exist_subject;
	props[4].tag = PIDTAG_RULE_ACTIONS;
	props[4].value.type = PTYP_RULE_ACTION;
	props[4].value.u.actions = &delete_actions;
	return 5;
}

static enum mapi_error
modify(struct fixture *f, uint8_t flags, const struct mapi_property *props,
       unsigned int count)
{
	const struct mapi_rule_change change = { flags, props, count };

	return mapi_rules_modify(f->store, f->inbox, FALSE, &change, 1, 1252);
}

static const char *names(struct fixture *f)
{
	struct mapi_rules *rules;
	string_t *str = t_str_new(64);
	unsigned int i;

	assert_int_equal(mapi_rules_load(f->store, f->inbox, f->mem, NULL,
					 &rules), EC_NONE);
	for (i = 0; i < rules->count; i++) {
		str_printfa(str, "%s ", rules->rules[i].
			    values[MAPI_RULE_NAME].u.str);
	}
	return str_c(str);
}

static void test_modify(void **state)
{
	struct fixture *f = *state;
	struct mapi_property props[6];
	struct mapi_rules *rules;
	unsigned int count;

	assert_string_equal(names(f), "");
	count = new_rule(props, "b", 2);
	assert_int_equal(modify(f, RULE_DATA_ROW_ADD, props, count), EC_NONE);
	count = new_rule(props, "a", 1);
	props[0].tag = MAPI_TAG_AS(PIDTAG_RULE_NAME, PTYP_STRING8);
	props[0].value.type = PTYP_STRING8;
	props[0].value.u.str8 = "\xe9";
	assert_int_equal(modify(f, RULE_DATA_ROW_ADD, props, count), EC_NONE);
	assert_string_equal(names(f), "b \xc3\xa9 ");
	fixture_reopen(f);
	assert_string_equal(names(f), "b \xc3\xa9 ");
	assert_true(mapi_rules_exist(f->store, f->inbox));

	assert_int_equal(mapi_rules_load(f->store, f->inbox, f->mem, NULL,
					 &rules), EC_NONE);
	props[0].tag = PIDTAG_RULE_ID;
	props[0].value = mapi_value_i64(rules->rules[0].id);
	assert_int_equal(modify(f, RULE_DATA_ROW_REMOVE, props, 1), EC_NONE);
	assert_int_equal(modify(f, RULE_DATA_ROW_REMOVE, props, 1),
			 EC_NOT_FOUND);
	assert_string_equal(names(f), "\xc3\xa9 ");
	assert_int_equal(mapi_rules_modify(f->store, f->inbox, TRUE, NULL, 0,
					   1252), EC_NONE);
	assert_string_equal(names(f), "");
	assert_false(mapi_rules_exist(f->store, f->inbox));
	assert_int_equal(mapi_rules_modify(f->store, MAPI_FOLDER_FID(77777),
					   TRUE, NULL, 0, 1252),
			 EC_OBJECT_DELETED);
}

/* Rules that can't be read aren't overwritten by who changes one of them. */
static void test_broken(void **state)
{
	struct fixture *f = *state;
	struct mapi_property props[6];
	struct mapi_rules *rules;
	unsigned int count = new_rule(props, "a", 1);
	const char *leaf = t_strdup_printf(MAPI_COMPANION_RULES,
		mapi_folder_fid_to_number(f->inbox));

	/* version 2 */
	assert_int_equal(mapi_state_save_data(f->store->companion, leaf, "x",
					      "\x02\0\0\0\0\0\0\0", 8),
			 EC_NONE);
	assert_int_equal(mapi_rules_load(f->store, f->inbox, f->mem, NULL,
					 &rules), EC_CORRUPT_DATA);
	assert_int_equal(modify(f, RULE_DATA_ROW_ADD, props, count),
			 EC_CORRUPT_DATA);
	assert_int_equal(mapi_rules_modify(f->store, f->inbox, TRUE, NULL, 0,
					   1252), EC_NONE);
	assert_int_equal(modify(f, RULE_DATA_ROW_ADD, props, count), EC_NONE);
	assert_string_equal(names(f), "a ");
}

int main(int argc, char *argv[])
{
	static const struct fixture_test tests[] = {
		{ "states", test_state },
		{ "broken states", test_state_broken },
		{ "rules as bytes", test_codec },
		{ "rules as bytes: names", test_codec_names },
		{ "changing", test_modify },
		{ "broken rules", test_broken },
	};

	return fixture_run(tests, N_ELEMENTS(tests), argc, argv);
}
