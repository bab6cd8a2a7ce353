/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mail-storage.h"
#include "mapi-categories.h"
#include "mapi-enums.h"
#include "mapi-mailprops-flags.h"
#include "mapi-props.h"
#include "mapi-store.h"

/* More categories than that aren't made keywords, of which a mailbox keeps all
   that it ever had. */
#define CATEGORIES_MAX 64

/* Keywords with one meaning: the first is the one that's set, the others are what
   other programs set. */
static const char *const keywords_forwarded[] = {
	"$Forwarded", "Forwarded", NULL
};
static const char *const keywords_junk[] = { "$Junk", "Junk", NULL };
static const char *const keywords_not_junk[] = {
	"$NotJunk", "NotJunk", "NonJunk", NULL
};

enum flag_keyword {
	KEYWORD_FORWARDED	= 0x01,
	KEYWORD_JUNK		= 0x02,
	KEYWORD_NOT_JUNK	= 0x04,
};
static const char *const *const flag_keywords[] = {
	keywords_forwarded, keywords_junk, keywords_not_junk,
};

/* What values from min to max do to flags */
struct flag_rule {
	uint32_t tag;
	int32_t min, max;
	/* so does removing the property */
	bool or_absent;
	enum mail_flags add, remove;
	enum flag_keyword add_keywords, remove_keywords;
};

static const struct flag_rule flag_rules[] = {
	{ PIDTAG_ICON_INDEX, (int32_t)ICON_NEW_MAIL, (int32_t)ICON_NEW_MAIL,
	  FALSE, 0, MAIL_ANSWERED, 0, KEYWORD_FORWARDED },
	{ PIDTAG_ICON_INDEX, ICON_READ_MAIL, ICON_UNREAD_MAIL,
	  FALSE, 0, MAIL_ANSWERED, 0, KEYWORD_FORWARDED },
	{ PIDTAG_ICON_INDEX, ICON_REPLIED_MAIL, ICON_REPLIED_MAIL,
	  FALSE, MAIL_ANSWERED, 0, 0, 0 },
	{ PIDTAG_ICON_INDEX, ICON_FORWARDED_MAIL, ICON_FORWARDED_MAIL,
	  FALSE, 0, 0, KEYWORD_FORWARDED, 0 },
	{ PIDTAG_LAST_VERB_EXECUTED, 0, 0,
	  TRUE, 0, MAIL_ANSWERED, 0, KEYWORD_FORWARDED },
	{ PIDTAG_LAST_VERB_EXECUTED, VERB_REPLY_TO_SENDER, VERB_REPLY_TO_ALL,
	  FALSE, MAIL_ANSWERED, 0, 0, 0 },
	{ PIDTAG_LAST_VERB_EXECUTED, VERB_FORWARD, VERB_FORWARD,
	  FALSE, 0, 0, KEYWORD_FORWARDED, 0 },
	/* [MS-OXOFLAG] 2.2.1.1 */
	{ PIDTAG_FLAG_STATUS, 0, FOLLOWUP_COMPLETE,
	  TRUE, 0, MAIL_FLAGGED, 0, 0 },
	{ PIDTAG_FLAG_STATUS, FOLLOWUP_FLAGGED, FOLLOWUP_FLAGGED,
	  FALSE, MAIL_FLAGGED, 0, 0, 0 },
	/* [MS-OXCSPAM] 2.2.1.3 */
	{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, -1, -1,
	  FALSE, 0, 0, KEYWORD_NOT_JUNK, KEYWORD_JUNK },
	{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, 0, 4,
	  TRUE, 0, 0, 0, KEYWORD_JUNK | KEYWORD_NOT_JUNK },
	{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, 5, 10,
	  FALSE, 0, 0, KEYWORD_JUNK, KEYWORD_NOT_JUNK },
};

/* Properties of numbers in the order in which they are applied */
static const uint32_t flag_tags[] = {
	PIDTAG_ICON_INDEX, PIDTAG_LAST_VERB_EXECUTED, PIDTAG_FLAG_STATUS,
	PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL,
};

/* What goes with a property when that is wrong. [MS-OXOFLAG] 2.2.1, 2.2.2 */
struct flag_dependent {
	uint32_t master;
	/* 0: it's a named property */
	uint32_t tag;
	const struct mapi_guid *set;
	uint32_t lid;
};

#define WITH_FLAG(name) \
	{ PIDTAG_FLAG_STATUS, 0, &PIDLID_##name##_PSET, PIDLID_##name }

static const struct flag_dependent flag_dependents[] = {
	{ PIDTAG_LAST_VERB_EXECUTED, PIDTAG_LAST_VERB_EXECUTION_TIME, NULL, 0 },
	{ PIDTAG_FLAG_STATUS, PIDTAG_FOLLOWUP_ICON, NULL, 0 },
	{ PIDTAG_FLAG_STATUS, PIDTAG_FLAG_COMPLETE_TIME, NULL, 0 },
	{ PIDTAG_FLAG_STATUS, PIDTAG_TO_DO_ITEM_FLAGS, NULL, 0 },
	{ PIDTAG_FLAG_STATUS, PIDTAG_REPLY_TIME, NULL, 0 },
	WITH_FLAG(FLAG_REQUEST),
	WITH_FLAG(FLAG_STRING),
	WITH_FLAG(VALID_FLAG_STRING_PROOF),
	WITH_FLAG(TO_DO_TITLE),
	WITH_FLAG(TO_DO_ORDINAL_DATE),
	WITH_FLAG(TO_DO_SUB_ORDINAL),
	WITH_FLAG(TASK_STATUS),
	WITH_FLAG(TASK_COMPLETE),
	WITH_FLAG(PERCENT_COMPLETE),
	WITH_FLAG(TASK_DATE_COMPLETED),
	WITH_FLAG(TASK_START_DATE),
	WITH_FLAG(TASK_DUE_DATE),
	WITH_FLAG(COMMON_START),
	WITH_FLAG(COMMON_END),
};

static const struct mapi_property_name *keywords_name(void)
{
	static struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .name = PIDNAME_KEYWORDS,
	};

	name.guid = PIDNAME_KEYWORDS_PSET;
	return &name;
}

bool mapi_flag_prop_is(uint32_t tag, const struct mapi_property_name *name)
{
	unsigned int i;

	if (name != NULL) {
		return name->kind == MAPI_NAME_STRING &&
			memcmp(&name->guid, &PIDNAME_KEYWORDS_PSET,
			       sizeof(name->guid)) == 0 &&
			strcasecmp(name->name, PIDNAME_KEYWORDS) == 0;
	}
	for (i = 0; i < N_ELEMENTS(flag_tags); i++) {
		if (MAPI_TAG_ID(flag_tags[i]) == MAPI_TAG_ID(tag))
			return TRUE;
	}
	return FALSE;
}

static bool propset_has_flag_props(const struct mapi_propset *set)
{
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		if (mapi_flag_prop_is(set->props[i].tag, set->props[i].name))
			return TRUE;
	}
	return FALSE;
}

bool mapi_flag_props_are_in(const struct mapi_overlay *overlay)
{
	return propset_has_flag_props(overlay->props) ||
		propset_has_flag_props(overlay->absent);
}

/* --- state ------------------------------------------------------------------ */

void mapi_flag_state_get(struct mail *mail, struct mapi_flag_state *state_r)
{
	state_r->box = mail->box;
	state_r->flags = mail_get_flags(mail);
	state_r->keywords = mail_get_keywords(mail);
}

static bool
keyword_is_valid(const struct mapi_flag_state *state, const char *keyword)
{
	const char *error;

	return mailbox_keyword_is_valid(state->box, keyword, &error);
}

static void state_add_keyword(struct mapi_flag_state *state, const char *keyword)
{
	unsigned int count = str_array_length(state->keywords);
	const char **keywords;

	if (str_array_icase_find(state->keywords, keyword) ||
	    !keyword_is_valid(state, keyword))
		return;
	keywords = t_new(const char *, count + 2);
	memcpy(keywords, state->keywords, sizeof(*keywords) * count);
	keywords[count] = keyword;
	state->keywords = keywords;
}

static void
state_remove_keywords(struct mapi_flag_state *state, const char *const *remove)
{
	const char **keywords;
	unsigned int i, count = 0;

	keywords = t_new(const char *, str_array_length(state->keywords) + 1);
	for (i = 0; state->keywords[i] != NULL; i++) {
		if (!str_array_icase_find(remove, state->keywords[i]))
			keywords[count++] = state->keywords[i];
	}
	state->keywords = keywords;
}

static bool
state_has_keyword(const struct mapi_flag_state *state,
		  const char *const *keywords)
{
	for (; *keywords != NULL; keywords++) {
		if (str_array_icase_find(state->keywords, *keywords))
			return TRUE;
	}
	return FALSE;
}

static bool
keywords_are_in(const char *const *keywords, const char *const *list)
{
	for (; *keywords != NULL; keywords++) {
		if (!str_array_icase_find(list, *keywords))
			return FALSE;
	}
	return TRUE;
}

static bool
state_is_equal(const struct mapi_flag_state *a, const struct mapi_flag_state *b)
{
	return a->flags == b->flags &&
		keywords_are_in(a->keywords, b->keywords) &&
		keywords_are_in(b->keywords, a->keywords);
}

/* --- numbers ---------------------------------------------------------------- */

static void
rule_apply(const struct flag_rule *rule, struct mapi_flag_state *state)
{
	unsigned int i;

	state->flags = (state->flags & ~rule->remove) | rule->add;
	for (i = 0; i < N_ELEMENTS(flag_keywords); i++) {
		if ((rule->remove_keywords & (1 << i)) != 0)
			state_remove_keywords(state, flag_keywords[i]);
		if ((rule->add_keywords & (1 << i)) != 0 &&
		    !state_has_keyword(state, flag_keywords[i]))
			state_add_keyword(state, flag_keywords[i][0]);
	}
}

/* The rule for what changes say of the property; NULL if there's none. */
static const struct flag_rule *
rule_find(uint32_t tag, const struct mapi_overlay *changes)
{
	const struct mapi_value *value = mapi_propset_get(changes->props, tag);
	const struct flag_rule *rule;
	bool absent;

	absent = mapi_propset_find(changes->props, tag) == NULL &&
		mapi_propset_find(changes->absent, tag) != NULL;
	if (value == NULL && !absent)
		return NULL;
	for (rule = flag_rules; rule < flag_rules + N_ELEMENTS(flag_rules);
	     rule++) {
		if (rule->tag != tag)
			continue;
		if (absent ? rule->or_absent :
		    value->u.i32 >= rule->min && value->u.i32 <= rule->max)
			return rule;
	}
	return NULL;
}

/* --- categories ------------------------------------------------------------- */

static bool
categories_have(const struct mapi_value *value, const char *category)
{
	uint32_t i;

	for (i = 0; i < value->u.mv.count; i++) {
		if (strcasecmp(value->u.mv.v.str[i], category) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The keyword is a category, and value hasn't it. */
static bool
keyword_is_other(const char *keyword, const struct mapi_value *value)
{
	const char *category = mapi_category_from_keyword(NULL, keyword);
	bool other = category != NULL && !categories_have(value, category);

	talloc_free((void *)category);
	return other;
}

/* A keyword that stands for the category; the state may have another one than
   the one that would be set ("Work", "$label2"). */
static bool
state_has_category(const struct mapi_flag_state *state, const char *category)
{
	const char *const *keywords;
	const char *other;
	bool found = FALSE;

	for (keywords = state->keywords; *keywords != NULL && !found;
	     keywords++) {
		other = mapi_category_from_keyword(NULL, *keywords);
		found = other != NULL && strcasecmp(other, category) == 0;
		talloc_free((void *)other);
	}
	return found;
}

static void
categories_apply(struct mapi_flag_state *state, const struct mapi_value *value)
{
	uint32_t i, count = I_MIN(value->u.mv.count, CATEGORIES_MAX);
	ARRAY_TYPE(const_string) remove;
	const char *const *keywords, *keyword;

	t_array_init(&remove, 16);
	for (keywords = state->keywords; *keywords != NULL; keywords++) {
		if (keyword_is_other(*keywords, value))
			array_push_back(&remove, keywords);
	}
	if (array_count(&remove) > 0) {
		array_append_zero(&remove);
		state_remove_keywords(state, array_front(&remove));
	}
	for (i = 0; i < count; i++) {
		if (state_has_category(state, value->u.mv.v.str[i]))
			continue;
		keyword = t_mapi_category_to_keyword(value->u.mv.v.str[i]);
		if (keyword != NULL)
			state_add_keyword(state, keyword);
	}
}

/* What changes say of PidNameKeywords; FALSE if nothing. No categories if it has
   been removed. */
static bool
categories_find(const struct mapi_overlay *changes, struct mapi_value *value_r)
{
	const struct mapi_property_name *name = keywords_name();
	const struct mapi_content_prop *prop;

	i_zero(value_r);
	value_r->type = PTYP_MULTIPLE_STRING;
	prop = mapi_propset_find_name(changes->props, name);
	if (prop == NULL)
		return mapi_propset_find_name(changes->absent, name) != NULL;
	if (prop->value.type != PTYP_MULTIPLE_STRING)
		return FALSE;
	*value_r = prop->value;
	return TRUE;
}

/* --- writing ---------------------------------------------------------------- */

void mapi_flag_state_apply(struct mapi_flag_state *state,
			   const struct mapi_overlay *changes)
{
	const struct flag_rule *rule;
	struct mapi_value categories;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(flag_tags); i++) {
		rule = rule_find(flag_tags[i], changes);
		if (rule != NULL)
			rule_apply(rule, state);
	}
	if (categories_find(changes, &categories))
		categories_apply(state, &categories);
}

/* Those of the list that the other one hasn't */
static int
update_keywords(struct mail *mail, enum modify_type type,
		const char *const *list, const char *const *other)
{
	ARRAY_TYPE(const_string) names;
	struct mail_keywords *keywords;

	t_array_init(&names, 16);
	for (; *list != NULL; list++) {
		if (!str_array_icase_find(other, *list))
			array_push_back(&names, list);
	}
	if (array_count(&names) == 0)
		return 0;
	array_append_zero(&names);
	if (mailbox_keywords_create(mail->box, array_front(&names),
				    &keywords) < 0)
		return -1;
	mail_update_keywords(mail, type, keywords);
	mailbox_keywords_unref(&keywords);
	return 0;
}

enum mapi_error
mapi_flag_state_write(struct mail *mail, const struct mapi_flag_state *state)
{
	struct mapi_flag_state old;
	enum mail_flags add, remove;
	int ret;

	mapi_flag_state_get(mail, &old);
	add = state->flags & ~old.flags & ~MAIL_RECENT;
	remove = old.flags & ~state->flags & ~MAIL_RECENT;
	if (add != 0)
		mail_update_flags(mail, MODIFY_ADD, add);
	if (remove != 0)
		mail_update_flags(mail, MODIFY_REMOVE, remove);
	T_BEGIN {
		ret = update_keywords(mail, MODIFY_ADD, state->keywords,
				      old.keywords);
		if (ret == 0) {
			ret = update_keywords(mail, MODIFY_REMOVE,
					      old.keywords, state->keywords);
		}
	} T_END;
	return ret < 0 ? mapi_error_from_mailbox(mail->box) : EC_NONE;
}

enum mapi_error
mapi_flag_props_apply(struct mail *mail, const struct mapi_overlay *changes,
		      bool *changed_r)
{
	struct mapi_flag_state old, state;
	enum mapi_error error;

	T_BEGIN {
		mapi_flag_state_get(mail, &old);
		state = old;
		mapi_flag_state_apply(&state, changes);
		*changed_r = !state_is_equal(&old, &state);
		error = mapi_flag_state_write(mail, &state);
	} T_END;
	return error;
}

/* --- reading ---------------------------------------------------------------- */

static void overlay_remove(struct mapi_overlay *overlay, uint32_t tag)
{
	mapi_propset_remove(overlay->props, tag);
	mapi_propset_remove(overlay->absent, tag);
}

static void
overlay_remove_name(struct mapi_overlay *overlay,
		    const struct mapi_property_name *name)
{
	const struct mapi_content_prop *prop;

	prop = mapi_propset_find_name(overlay->props, name);
	if (prop != NULL)
		mapi_propset_remove(overlay->props, prop->tag);
	prop = mapi_propset_find_name(overlay->absent, name);
	if (prop != NULL)
		mapi_propset_remove(overlay->absent, prop->tag);
}

static void
overlay_remove_with_dependents(struct mapi_overlay *overlay, uint32_t tag)
{
	const struct flag_dependent *dep;
	struct mapi_property_name name;

	overlay_remove(overlay, tag);
	for (dep = flag_dependents;
	     dep < flag_dependents + N_ELEMENTS(flag_dependents); dep++) {
		if (dep->master != tag)
			continue;
		if (dep->set == NULL) {
			overlay_remove(overlay, dep->tag);
			continue;
		}
		i_zero(&name);
		name.kind = MAPI_NAME_LID;
		name.guid = *dep->set;
		name.lid = dep->lid;
		overlay_remove_name(overlay, &name);
	}
}

/* There's no such keyword, but not because somebody has removed it. */
static bool
category_is_unexpressed(const struct mapi_flag_state *state, uint32_t idx,
			const char *category)
{
	const char *keyword = t_mapi_category_to_keyword(category);

	return idx >= CATEGORIES_MAX || keyword == NULL ||
		!keyword_is_valid(state, keyword);
}

static void
categories_add_keywords(const struct mapi_flag_state *state, TALLOC_CTX *mem,
			struct mapi_value *value)
{
	const char *const *keywords, *category;

	for (keywords = state->keywords; *keywords != NULL; keywords++) {
		category = mapi_category_from_keyword(mem, *keywords);
		if (category != NULL && !categories_have(value, category))
			value->u.mv.v.str[value->u.mv.count++] = category;
	}
}

/* What of the categories is still true, and what else is */
static void
categories_merge(const struct mapi_flag_state *state, TALLOC_CTX *mem,
		 const struct mapi_value *old, struct mapi_value *new_r)
{
	const char *category;
	uint32_t i;

	i_zero(new_r);
	new_r->type = PTYP_MULTIPLE_STRING;
	new_r->u.mv.v.str = talloc_array(mem, const char *, old->u.mv.count +
				str_array_length(state->keywords) + 1);
	for (i = 0; i < old->u.mv.count; i++) {
		category = old->u.mv.v.str[i];
		if (state_has_category(state, category) ||
		    category_is_unexpressed(state, i, category))
			new_r->u.mv.v.str[new_r->u.mv.count++] = category;
	}
	categories_add_keywords(state, mem, new_r);
}

static void
categories_reconcile(const struct mapi_flag_state *state,
		     struct mapi_overlay *overlay)
{
	const struct mapi_property_name *name = keywords_name();
	const struct mapi_content_prop *prop;
	struct mapi_content_prop new_prop;
	struct mapi_value old, new;
	TALLOC_CTX *mem;

	if (!categories_find(overlay, &old))
		return;
	mem = talloc_new(NULL);
	categories_merge(state, mem, &old, &new);
	prop = mapi_propset_find_name(overlay->props, name);
	if (prop != NULL && new.u.mv.count > 0) {
		new_prop = *prop;
		new_prop.value = new;
		(void)mapi_propset_set(overlay->props, &new_prop);
	} else if (new.u.mv.count > 0 || old.u.mv.count > 0) {
		/* it was absent and isn't, or it isn't there any more */
		overlay_remove_name(overlay, name);
	}
	talloc_free(mem);
}

void mapi_flag_props_reconcile(const struct mapi_flag_state *state,
			       struct mapi_overlay *overlay)
{
	const struct flag_rule *rule;
	struct mapi_flag_state applied;
	unsigned int i;

	T_BEGIN {
		for (i = 0; i < N_ELEMENTS(flag_tags); i++) {
			rule = rule_find(flag_tags[i], overlay);
			if (rule == NULL)
				continue;
			applied = *state;
			rule_apply(rule, &applied);
			if (!state_is_equal(&applied, state)) {
				overlay_remove_with_dependents(overlay,
							       flag_tags[i]);
			}
		}
		categories_reconcile(state, overlay);
	} T_END;
}

void mapi_flag_props_reconcile_mail(struct mail *mail,
				    struct mapi_overlay *overlay)
{
	struct mapi_flag_state state;

	if (overlay == NULL || !mapi_flag_props_are_in(overlay))
		return;
	mapi_flag_state_get(mail, &state);
	mapi_flag_props_reconcile(&state, overlay);
}
