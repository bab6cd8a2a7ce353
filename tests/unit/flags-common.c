/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mapi-props.h"
#include "flags-common.h"

#include <setjmp.h>
#include <cmocka.h>

uint32_t flags_prop_tag(const char *key)
{
	static const struct {
		const char *name;
		uint32_t tag;
	} names[] = {
		{ "flag", PIDTAG_FLAG_STATUS },
		{ "icon", PIDTAG_ICON_INDEX },
		{ "verb", PIDTAG_LAST_VERB_EXECUTED },
		{ "scl", PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL },
		{ "time", PIDTAG_LAST_VERB_EXECUTION_TIME },
		{ "fup", PIDTAG_FOLLOWUP_ICON },
		{ "todo", PIDTAG_TO_DO_ITEM_FLAGS },
		{ "cat", FLAGS_KEYWORDS_TAG },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (strcmp(names[i].name, key) == 0)
			return names[i].tag;
	}
	i_unreached();
}

static void
overlay_add(struct mapi_overlay *overlay, const char *key, const char *str)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	struct mapi_content_prop prop;
	int value;

	i_zero(&prop);
	prop.tag = flags_prop_tag(key);
	prop.name = prop.tag == FLAGS_KEYWORDS_TAG ? &name : NULL;
	if (str == NULL) {
		assert_true(mapi_overlay_set_absent(overlay, prop.tag,
						    prop.name));
		return;
	}
	if (prop.tag == FLAGS_KEYWORDS_TAG) {
		prop.value.type = PTYP_MULTIPLE_STRING;
		prop.value.u.mv.v.str = t_strsplit(str, ",");
		prop.value.u.mv.count =
			str_array_length(prop.value.u.mv.v.str);
	} else if (MAPI_TAG_TYPE(prop.tag) == PTYP_TIME) {
		prop.value = mapi_value_time(1);
	} else {
		assert_int_equal(str_to_int(str, &value), 0);
		prop.value = mapi_value_i32(value);
	}
	assert_true(mapi_overlay_set(overlay, &prop));
}

struct mapi_overlay *flags_overlay_parse(TALLOC_CTX *mem, const char *str)
{
	struct mapi_overlay *overlay = mapi_overlay_create(mem);
	const char *const *parts = t_strsplit(str, ";"), *p;

	for (; *parts != NULL && **parts != '\0'; parts++) {
		p = strchr(*parts, '=');
		if (p != NULL)
			overlay_add(overlay, t_strdup_until(*parts, p), p + 1);
		else
			overlay_add(overlay, *parts + 1, NULL);
	}
	return overlay;
}

const char *flags_overlay_str(const struct mapi_overlay *overlay)
{
	static const char *const keys[] = {
		"flag", "icon", "verb", "scl", "time", "fup", "todo", "cat"
	};
	const struct mapi_content_prop *prop;
	string_t *str = t_str_new(64);
	unsigned int i, j;
	uint32_t tag;

	for (i = 0; i < N_ELEMENTS(keys); i++) {
		tag = flags_prop_tag(keys[i]);
		prop = mapi_propset_find(overlay->props, tag);
		if (prop == NULL) {
			if (mapi_propset_find(overlay->absent, tag) != NULL)
				str_printfa(str, "-%s;", keys[i]);
			continue;
		}
		str_printfa(str, "%s=", keys[i]);
		if (tag == FLAGS_KEYWORDS_TAG) {
			for (j = 0; j < prop->value.u.mv.count; j++) {
				str_printfa(str, "%s%s", j == 0 ? "" : ",",
					    prop->value.u.mv.v.str[j]);
			}
		} else if (prop->value.type == PTYP_INTEGER32) {
			str_printfa(str, "%d", prop->value.u.i32);
		} else {
			str_append_c(str, '1');
		}
		str_append_c(str, ';');
	}
	return str_c(str);
}

const char *flags_state_str(const struct mapi_flag_state *state)
{
	string_t *str = t_str_new(64);
	unsigned int i;

	if ((state->flags & MAIL_ANSWERED) != 0)
		str_append_c(str, 'A');
	if ((state->flags & MAIL_FLAGGED) != 0)
		str_append_c(str, 'F');
	if ((state->flags & MAIL_SEEN) != 0)
		str_append_c(str, 'S');
	for (i = 0; state->keywords[i] != NULL; i++)
		str_printfa(str, "[%s]", state->keywords[i]);
	return str_c(str);
}

void flags_state_parse(const char *str, struct mapi_flag_state *state)
{
	const char **keywords = t_new(const char *, 16), *end;
	unsigned int count = 0;

	for (; *str != '\0'; str++) {
		switch (*str) {
		case 'A':
			state->flags |= MAIL_ANSWERED;
			break;
		case 'F':
			state->flags |= MAIL_FLAGGED;
			break;
		case 'S':
			state->flags |= MAIL_SEEN;
			break;
		case '[':
			end = strchr(str, ']');
			keywords[count++] = t_strdup_until(str + 1, end);
			str = end;
			break;
		}
	}
	state->keywords = keywords;
}
