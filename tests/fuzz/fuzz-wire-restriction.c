/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restrictions, rule actions and single values in the three forms. The first
   byte chooses. */

#include "mapi-restriction.h"
#include "mapi-rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_restriction(TALLOC_CTX *mem, struct mapi_pull *pull)
{
	struct mapi_restriction *res = mapi_pull_restriction(pull), *res2;
	struct mapi_push push;
	struct mapi_pull pull2;
	char *str;

	if (res == NULL) {
		if (mapi_pull_ok(pull))
			abort();
		return;
	}
	if (pull->depth != 0)
		abort();
	res2 = mapi_restriction_copy(mem, res);
	str = talloc_strdup(mem, "");
	mapi_restriction_print(&str, res2);
	mapi_push_init(&push, mem, 0);
	push.form = pull->form;
	if (!mapi_restriction_equal(res, res2) ||
	    !mapi_push_restriction(&push, res2))
		abort();
	mapi_pull_init(&pull2, mem, push.data, push.size);
	pull2.form = pull->form;
	res2 = mapi_pull_restriction(&pull2);
	if (res2 == NULL || !mapi_restriction_equal(res, res2))
		abort();
}

static void check_actions(TALLOC_CTX *mem, struct mapi_pull *pull)
{
	struct mapi_rule_actions *actions = mapi_pull_rule_actions(pull);
	struct mapi_rule_actions *actions2;
	struct mapi_push push;
	struct mapi_pull pull2;

	if (actions == NULL) {
		if (mapi_pull_ok(pull))
			abort();
		return;
	}
	actions2 = mapi_rule_actions_copy(mem, actions);
	mapi_push_init(&push, mem, 0);
	push.form = pull->form;
	if (!mapi_rule_actions_equal(actions, actions2) ||
	    !mapi_push_rule_actions(&push, actions2))
		abort();
	mapi_pull_init(&pull2, mem, push.data, push.size);
	pull2.form = pull->form;
	actions2 = mapi_pull_rule_actions(&pull2);
	if (actions2 == NULL || !mapi_rule_actions_equal(actions, actions2))
		abort();
}

static void check_value(TALLOC_CTX *mem, struct mapi_pull *pull)
{
	struct mapi_property prop, prop2;
	struct mapi_push push;
	struct mapi_pull pull2;
	char *str;

	if (!mapi_pull_tagged_value(pull, &prop))
		return;
	str = talloc_strdup(mem, "");
	mapi_value_print(&str, &prop.value);
	(void)mapi_value_size(&prop.value);
	mapi_push_init(&push, mem, 0);
	push.form = pull->form;
	if (!mapi_push_tagged_value(&push, &prop))
		abort();
	mapi_pull_init(&pull2, mem, push.data, push.size);
	pull2.form = pull->form;
	if (!mapi_pull_tagged_value(&pull2, &prop2) || prop.tag != prop2.tag ||
	    !mapi_value_equal(&prop.value, &prop2.value) ||
	    !mapi_value_copy(mem, &prop2.value, &prop.value) ||
	    !mapi_value_equal(&prop.value, &prop2.value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mapi_pull pull;
	TALLOC_CTX *mem;

	if (size < 1)
		return 0;
	mem = talloc_new(NULL);
	mapi_pull_init(&pull, mem, data + 1, size - 1);
	pull.form = (enum mapi_wire_form)((data[0] >> 2) % 3);
	switch (data[0] & 3) {
	case 0:
	case 1:
		check_restriction(mem, &pull);
		break;
	case 2:
		check_actions(mem, &pull);
		break;
	case 3:
		check_value(mem, &pull);
		break;
	}
	talloc_free(mem);
	return 0;
}
