/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RULES_H
#define MAPI_RULES_H

/* The rules of folders, [MS-OXORULE]: standard rules, which clients read as a table
   and change by RopModifyRules. Extended rules are FAI messages, and nothing but
   messages here. Rules are kept, not executed.

   A folder's rules are a state (mapi-companion-state.h) of its own: all of them are
   changed at once or none. */

#include "mapi-companion-state.h"
#include "mapi-folder.h"
#include "mapi-rule.h"

struct mapi_table;

/* A rule's properties but for PidTagRuleId, in the order in which they're
   stored: never change it. */
enum mapi_rule_prop {
	MAPI_RULE_SEQUENCE,
	MAPI_RULE_STATE,
	MAPI_RULE_NAME,
	MAPI_RULE_PROVIDER,
	MAPI_RULE_LEVEL,
	MAPI_RULE_USER_FLAGS,
	MAPI_RULE_PROVIDER_DATA,
	MAPI_RULE_CONDITION,
	MAPI_RULE_ACTIONS,
	MAPI_RULE_PROP_COUNT
};
/* the tags of these */
extern const uint32_t mapi_rule_prop_tags[MAPI_RULE_PROP_COUNT];

struct mapi_rule {
	/* PidTagRuleId; never 0 */
	int64_t id;
	/* type is PTYP_UNSPECIFIED if it isn't set; strings are PTYP_STRING,
	   also those in condition and actions */
	struct mapi_value values[MAPI_RULE_PROP_COUNT];
};

struct mapi_rules {
	/* in the order in which they were added */
	struct mapi_rule *rules;
	unsigned int count;
};

/* All rules of a folder together take no more than this many bytes, as they're
   stored, nor one rule more than fits into the response to RopQueryRows. */
#define MAPI_RULES_MAX_SIZE (256 * 1024)
#define MAPI_RULE_MAX_SIZE (30 * 1024)

/* The rules of a folder, on mem: no rules if there are none. *version (may be NULL)
   as for mapi_state_load(); *rules_r is NULL if it's the same. */
enum mapi_error
mapi_rules_load(struct mapi_store *store, mapi_id_t fid, TALLOC_CTX *mem,
		mapi_state_version_t *version, struct mapi_rules **rules_r);
/* Whether a folder has rules. Cheap. */
bool mapi_rules_exist(struct mapi_store *store, mapi_id_t fid);

/* A row of RopModifyRules */
struct mapi_rule_change {
	uint8_t flags;		/* RULE_DATA_ROW_* */
	const struct mapi_property *props;
	unsigned int prop_count;
};
/* Changes a folder's rules, or with replace, makes these all its rules. code_page:
   of PTYP_STRING8 values. All changes are made or, on error, none.

   EC_INVALID_PARAM: a row that says neither or more than one of what to do, or
   anything but ROW_ADD with replace; one without properties, with properties that
   rules don't have or of other types, with PidTagRuleLevel other than 0; one that
   adds a rule without PidTagRuleProvider, PidTagRuleCondition, PidTagRuleActions;
   one that doesn't without PidTagRuleId. EC_NOT_FOUND: there's no such rule.
   EC_NOT_ENOUGH_MEMORY: too much. EC_NOT_SUPPORTED: a search folder.
   EC_ACCESS_DENIED: the user doesn't own the folder (RIGHTS_FOLDER_OWNER).
   [MS-OXORULE] 3.2.5.2 */
enum mapi_error
mapi_rules_modify(struct mapi_store *store, mapi_id_t fid, bool replace,
		  const struct mapi_rule_change *changes, unsigned int count,
		  uint32_t code_page);

/* For a folder that is copied, perhaps to another store: numbers of folders, of which
   the latter has no rules. Rules that move or copy messages to folders of the store, or
   reply with messages of it, are switched off in another one, where the ids are
   others': they are shown as rules with an error. */
enum mapi_error
mapi_rules_copy(struct mapi_store *store, uint32_t number,
		struct mapi_store *dest_store, uint32_t dest_number);

/* The table of a folder's rules, in the order of their sequences. flags: TableFlags
   of RopGetRulesTable; without RULES_TABLE_UNICODE strings in conditions and
   actions are PTYP_STRING8. EC_NOT_SUPPORTED: unknown flags. EC_ACCESS_DENIED as
   above. [MS-OXORULE] 3.2.5.3 */
enum mapi_error
mapi_rules_table_open(TALLOC_CTX *parent, struct mapi_store *store,
		      mapi_id_t fid, uint8_t flags, uint32_t code_page,
		      struct mapi_table **table_r);

/* --- mapi-rules-codec.c -------------------------------------------------- */

/* Rules as bytes, on mem. EC_NOT_ENOUGH_MEMORY if they are too large. */
enum mapi_error
mapi_rules_encode(struct mapi_store *store, const struct mapi_rules *rules,
		  TALLOC_CTX *mem, const void **data_r, size_t *size_r);
/* Binaries point into data. EC_CORRUPT_DATA if it's not what this version
   writes. */
enum mapi_error
mapi_rules_decode(struct mapi_store *store, TALLOC_CTX *mem,
		  const void *data, size_t size, struct mapi_rules **rules_r);

#endif
