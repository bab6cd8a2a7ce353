/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_TEMPLATE_H
#define NSPI_TEMPLATE_H

/* The dialogs in which clients show the address book's objects, and that of
   their advanced search, [MS-OXOABKT]: what is in them (nspi-template-data.c),
   in which language, and their encoding. */

#include "nspi-props.h"

/* Display types, [MS-OXNSPI] 2.2.1.3, that the directory's objects don't have:
   of folders that get mail, of programs and of departments, which other address
   books may hand to clients, and of the search dialog */
#define NSPI_DT_FORUM 0x00000002
#define NSPI_DT_AGENT 0x00000003
#define NSPI_DT_ORGANIZATION 0x00000004
#define NSPI_DT_SEARCH 0x00000200

/* [MS-OXOABKT] 2.2.2.1.3: bytes of a label with its NUL, in any code page */
#define NSPI_TEMPLATE_MAX_LABEL 128

/* The languages that there are labels in; the first one is what clients in any
   other get. */
enum nspi_template_language {
	NSPI_TEMPLATE_ENGLISH,
	NSPI_TEMPLATE_GERMAN,
	NSPI_TEMPLATE_LANGUAGE_COUNT
};

/* ControlType, [MS-OXOABKT] 2.2.2.1.2. Its text is the label of labels, boxes,
   buttons and pages, and the characters that edit controls and lists take. */
enum nspi_control_type {
	NSPI_CONTROL_LABEL	= 0x00,
	NSPI_CONTROL_EDIT	= 0x01,
	/* a table of other objects */
	NSPI_CONTROL_LISTBOX	= 0x02,
	NSPI_CONTROL_CHECKBOX	= 0x05,
	NSPI_CONTROL_GROUPBOX	= 0x06,
	NSPI_CONTROL_BUTTON	= 0x07,
	NSPI_CONTROL_PAGE	= 0x08,
	/* several strings, as a list or to choose from */
	NSPI_CONTROL_MV_LISTBOX	= 0x0B,
	NSPI_CONTROL_MV_DROPDOWN = 0x0C,
};

/* ControlFlags */
enum nspi_control_flags {
	NSPI_CONTROL_MULTILINE	= 0x01,
	NSPI_CONTROL_EDITABLE	= 0x02,
	/* not of ASCII only */
	NSPI_CONTROL_DBCS	= 0x20,
};

struct nspi_control {
	enum nspi_control_type type;
	/* position on its page, dialog units */
	uint16_t x, y, width, height;
	/* enum nspi_control_flags */
	uint32_t flags;
	/* what it shows, 0 for what shows no property */
	uint32_t tag;
	/* of edit controls: characters that can be entered */
	uint32_t max_chars;
	/* for nspi_template_label() */
	unsigned int label;
};

struct nspi_template_page {
	unsigned int label;
	const struct nspi_control *controls;
	unsigned int controls_count;
};

#define NSPI_TEMPLATE_MAX_PAGES 5

struct nspi_template {
	/* enum nspi_display_type, NSPI_DT_... above */
	uint32_t display_type;
	/* for clients that may ask for changes */
	bool writable;
	/* ends with NULL */
	const struct nspi_template_page *pages[NSPI_TEMPLATE_MAX_PAGES + 1];
};

/* NULL if objects of this display type have no dialog. writable: clients may
   ask for changes, by ModLinkAtt. */
const struct nspi_template *
nspi_template_find(uint32_t display_type, bool writable);
/* UTF-8, with '&' before the character that selects the control. "" for the
   label 0 */
const char *nspi_template_label(enum nspi_template_language language,
				unsigned int label);

/* The language for a locale, [MS-LCID], also for the defaults of users and
   systems. FALSE if there's no such locale. */
bool nspi_template_language(uint32_t lcid,
			    enum nspi_template_language *language_r);
/* The template as clients read it, [MS-OXOABKT] 2.2.2.1, on mem. What the code
   page can't write is in English. */
struct mapi_binary
nspi_template_encode(TALLOC_CTX *mem, const struct nspi_template *tmpl,
		     enum nspi_template_language language, uint32_t code_page);

#endif
