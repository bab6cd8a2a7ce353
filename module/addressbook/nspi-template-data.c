/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "nspi-template.h"

/* --- labels ------------------------------------------------------------------ */

/* In each language no two labels of a page have the same character to select
   the control, which comes after the '&'. */
#define LABELS(X) \
	/* pages and boxes */ \
	X(GENERAL, "General", "Allgemein") \
	X(ORGANIZATION, "Organization", "Organisation") \
	X(PHONE_NOTES, "Phone/Notes", "Telefon/Notizen") \
	X(MEMBER_OF, "Member Of", "Mitglied von") \
	X(ADDRESSES, "E-mail Addresses", "E-Mail-Adressen") \
	X(PHONE_NUMBERS, "Phone numbers", "Telefonnummern") \
	X(MEMBERS, "Members", "Mitglieder") \
	/* who it is */ \
	X(DISPLAY_NAME, "&Display name:", "An&zeigename:") \
	X(FIRST_NAME, "&First name:", "&Vorname:") \
	X(LAST_NAME, "&Last name:", "&Nachname:") \
	X(INITIALS, "&Initials:", "&Initialen:") \
	X(ALIAS, "&Alias:", "A&lias:") \
	X(EMAIL, "&E-mail:", "&E-Mail:") \
	X(TITLE, "&Title:", "Posi&tion:") \
	X(COMPANY, "Compan&y:", "&Firma:") \
	X(DEPARTMENT, "De&partment:", "A&bteilung:") \
	X(OFFICE, "&Office:", "Bü&ro:") \
	X(ASSISTANT, "Assista&nt:", "A&ssistenz:") \
	X(PHONE, "Phone n&umber:", "Telefonnu&mmer:") \
	X(ADDRESS, "Add&ress:", "&Adresse:") \
	X(POSTAL_CODE, "&Zip code:", "&PLZ:") \
	X(CITY, "&City:", "&Ort:") \
	X(STATE, "&State:", "B&undesland:") \
	X(COUNTRY, "Country/Re&gion:", "Lan&d:") \
	/* other pages */ \
	X(MANAGER, "&Manager:", "&Vorgesetzte:") \
	X(REPORTS, "&Direct reports:", "&Mitarbeitende:") \
	X(BUSINESS, "&Business:", "Gesc&häftlich:") \
	X(BUSINESS2, "B&usiness 2:", "G&eschäftlich 2:") \
	X(HOME, "&Home:", "&Privat:") \
	X(HOME2, "H&ome 2:", "P&rivat 2:") \
	X(FAX, "&Fax:", "&Fax:") \
	X(MOBILE, "&Mobile:", "&Mobil:") \
	X(ASSISTANT_PHONE, "&Assistant:", "&Assistenz:") \
	X(PAGER, "Pa&ger:", "Pa&ger:") \
	X(NOTES, "No&tes:", "No&tizen:") \
	X(GROUPS, "&Group membership:", "Mitglied dieser &Gruppen:") \
	X(ADDRESS_LIST, "&E-mail addresses:", "&E-Mail-Adressen:") \
	X(OWNER, "&Owner:", "&Besitzer:") \
	X(MODIFY_MEMBERS, "Modify &Members...", "Mit&glieder ändern...")

enum {
	LABEL_NONE,
#define LABEL_ID(id, english, german) LABEL_##id,
	LABELS(LABEL_ID)
	LABEL_COUNT
};

static const char *const labels[NSPI_TEMPLATE_LANGUAGE_COUNT][LABEL_COUNT] = {
	[NSPI_TEMPLATE_ENGLISH] = {
		[LABEL_NONE] = "",
#define LABEL_ENGLISH(id, english, german) [LABEL_##id] = english,
		LABELS(LABEL_ENGLISH)
	},
	[NSPI_TEMPLATE_GERMAN] = {
		[LABEL_NONE] = "",
#define LABEL_GERMAN(id, english, german) [LABEL_##id] = german,
		LABELS(LABEL_GERMAN)
	},
};

const char *nspi_template_label(enum nspi_template_language language,
				unsigned int label)
{
	i_assert(language < NSPI_TEMPLATE_LANGUAGE_COUNT);
	i_assert(label < LABEL_COUNT);
	return labels[language][label];
}

/* --- layout ------------------------------------------------------------------ */

/* Two columns of a label and a field each, in lines. Clients' dialogs have
   about 366 x 153 dialog units for a page. */
#define LEFT 8
#define RIGHT 188
#define LABEL_WIDTH 62
#define FIELD(column) ((column) + 64)
#define FIELD_WIDTH 106
#define WHOLE_WIDTH (FIELD(RIGHT) + FIELD_WIDTH - LEFT)
#define WHOLE_FIELD_WIDTH (WHOLE_WIDTH - (FIELD(LEFT) - LEFT))
#define PAGE_BOTTOM 150
#define LINE_HEIGHT 15
#define LINE(line) (3 + LINE_HEIGHT * (line))
/* within a group box */
#define BOX_LINE(line) (LINE(line) + 12)

/* [MS-OXOABKT] has 8-bit strings in templates throughout. */
#define STRING8(tag) MAPI_TAG_AS(tag, PTYP_STRING8)
#define STRINGS8(tag) MAPI_TAG_AS(tag, PTYP_MULTIPLE_STRING8)
#define OBJECTS(tag) MAPI_TAG_AS(tag, PTYP_OBJECT)

#define LABEL(x_, y_, width_, label_) { \
	.type = NSPI_CONTROL_LABEL, .x = (x_), .y = (y_), .width = (width_), \
	.height = 8, .label = LABEL_##label_ }
#define EDIT(x_, y_, width_, height_, flags_, tag_, max_) { \
	.type = NSPI_CONTROL_EDIT, .x = (x_), .y = (y_), .width = (width_), \
	.height = (height_), .flags = (flags_), .tag = STRING8(tag_), \
	.max_chars = (max_) }
#define LIST(type_, x_, y_, width_, height_, tag_) { \
	.type = (type_), .x = (x_), .y = (y_), .width = (width_), \
	.height = (height_), .tag = (tag_) }
#define BOX(x_, y_, width_, height_, label_) { \
	.type = NSPI_CONTROL_GROUPBOX, .x = (x_), .y = (y_), \
	.width = (width_), .height = (height_), .label = LABEL_##label_ }

#define TEXT_IN(column, y, width, flags, label, tag, max) \
	LABEL(column, (y) + 2, LABEL_WIDTH, label), \
	EDIT(FIELD(column), y, width, 12, flags, tag, max)
#define TEXT(column, line, label, tag, max) \
	TEXT_IN(column, LINE(line), FIELD_WIDTH, 0, label, tag, max)
#define WIDE_TEXT(line, label, tag, max) \
	TEXT_IN(LEFT, LINE(line), WHOLE_FIELD_WIDTH, 0, label, tag, max)
#define SEARCH(column, line, label, tag, max) \
	TEXT_IN(column, LINE(line), FIELD_WIDTH, \
		NSPI_CONTROL_EDITABLE | NSPI_CONTROL_DBCS, label, tag, max)
/* Boxed lines are in the box's frame. */
#define BOX_TEXT(column, line, label, tag, max) \
	TEXT_IN(column, BOX_LINE(line), FIELD_WIDTH, 0, label, tag, max)
#define BOX_TEXTS(column, line, label, tag) \
	LABEL(column, BOX_LINE(line) + 2, LABEL_WIDTH, label), \
	/* its height is that of the list that drops down */ \
	LIST(NSPI_CONTROL_MV_DROPDOWN, FIELD(column), BOX_LINE(line), \
	     FIELD_WIDTH, 60, STRINGS8(tag))
/* a label with a list below it that reaches to the bottom */
#define WHOLE_PAGE(type, label, tag) \
	LABEL(LEFT, 4, WHOLE_WIDTH, label), \
	LIST(type, LEFT, 14, WHOLE_WIDTH, PAGE_BOTTOM - 14, tag)

#define PAGE(name, label_, array) \
static const struct nspi_template_page name = { \
	.label = LABEL_##label_, .controls = array, \
	.controls_count = N_ELEMENTS(array), \
}

/* --- pages ------------------------------------------------------------------- */

static const struct nspi_control person_general[] = {
	WIDE_TEXT(0, DISPLAY_NAME, PIDTAG_DISPLAY_NAME, 256),
	TEXT(LEFT, 1, FIRST_NAME, PIDTAG_GIVEN_NAME, 64),
	TEXT(RIGHT, 1, LAST_NAME, PIDTAG_SURNAME, 64),
	TEXT(LEFT, 2, INITIALS, PIDTAG_INITIALS, 6),
	TEXT(RIGHT, 2, ALIAS, PIDTAG_ACCOUNT, 64),
	TEXT(LEFT, 3, TITLE, PIDTAG_TITLE, 128),
	TEXT(RIGHT, 3, COMPANY, PIDTAG_COMPANY_NAME, 64),
	LABEL(LEFT, LINE(4) + 2, LABEL_WIDTH, ADDRESS),
	EDIT(FIELD(LEFT), LINE(4), FIELD_WIDTH, 12 + LINE_HEIGHT,
	     NSPI_CONTROL_MULTILINE, PIDTAG_STREET_ADDRESS, 1024),
	TEXT(RIGHT, 4, DEPARTMENT, PIDTAG_DEPARTMENT_NAME, 64),
	TEXT(RIGHT, 5, OFFICE, PIDTAG_OFFICE_LOCATION, 128),
	TEXT(LEFT, 6, POSTAL_CODE, PIDTAG_POSTAL_CODE, 40),
	TEXT(RIGHT, 6, ASSISTANT, PIDTAG_ASSISTANT, 256),
	TEXT(LEFT, 7, CITY, PIDTAG_LOCALITY, 128),
	TEXT(RIGHT, 7, PHONE, PIDTAG_BUSINESS_TELEPHONE_NUMBER, 64),
	TEXT(LEFT, 8, STATE, PIDTAG_STATE_OR_PROVINCE, 128),
	TEXT(RIGHT, 8, COUNTRY, PIDTAG_COUNTRY, 128),
	WIDE_TEXT(9, EMAIL, PIDTAG_SMTP_ADDRESS, 256),
};
PAGE(person_general_page, GENERAL, person_general);

static const struct nspi_control organization[] = {
	LABEL(LEFT, 4, WHOLE_WIDTH, MANAGER),
	LIST(NSPI_CONTROL_LISTBOX, LEFT, 14, WHOLE_WIDTH, 22,
	     OBJECTS(PIDTAG_ADDRESS_BOOK_MANAGER)),
	LABEL(LEFT, 42, WHOLE_WIDTH, REPORTS),
	LIST(NSPI_CONTROL_LISTBOX, LEFT, 52, WHOLE_WIDTH, PAGE_BOTTOM - 52,
	     OBJECTS(PIDTAG_ADDRESS_BOOK_REPORTS)),
};
PAGE(organization_page, ORGANIZATION, organization);

static const struct nspi_control phone_notes[] = {
	BOX(LEFT - 4, 3, WHOLE_WIDTH + 8, 74, PHONE_NUMBERS),
	BOX_TEXT(LEFT, 0, BUSINESS, PIDTAG_BUSINESS_TELEPHONE_NUMBER, 64),
	BOX_TEXT(RIGHT, 0, HOME, PIDTAG_HOME_TELEPHONE_NUMBER, 64),
	BOX_TEXTS(LEFT, 1, BUSINESS2, PIDTAG_BUSINESS2_TELEPHONE_NUMBERS),
	BOX_TEXTS(RIGHT, 1, HOME2, PIDTAG_HOME2_TELEPHONE_NUMBERS),
	BOX_TEXT(LEFT, 2, FAX, PIDTAG_PRIMARY_FAX_NUMBER, 64),
	BOX_TEXT(RIGHT, 2, MOBILE, PIDTAG_MOBILE_TELEPHONE_NUMBER, 64),
	BOX_TEXT(LEFT, 3, ASSISTANT_PHONE, PIDTAG_ASSISTANT_TELEPHONE_NUMBER,
		 64),
	BOX_TEXT(RIGHT, 3, PAGER, PIDTAG_PAGER_TELEPHONE_NUMBER, 64),
	LABEL(LEFT, 82, WHOLE_WIDTH, NOTES),
	EDIT(LEFT, 92, WHOLE_WIDTH, PAGE_BOTTOM - 92, NSPI_CONTROL_MULTILINE,
	     PIDTAG_COMMENT, 1024),
};
PAGE(phone_notes_page, PHONE_NOTES, phone_notes);

static const struct nspi_control member_of[] = {
	WHOLE_PAGE(NSPI_CONTROL_LISTBOX, GROUPS,
		OBJECTS(PIDTAG_ADDRESS_BOOK_IS_MEMBER_OF_DISTRIBUTION_LIST)),
};
PAGE(member_of_page, MEMBER_OF, member_of);

static const struct nspi_control addresses[] = {
	WHOLE_PAGE(NSPI_CONTROL_MV_LISTBOX, ADDRESS_LIST,
		   STRINGS8(PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES)),
};
PAGE(addresses_page, ADDRESSES, addresses);

#define MEMBERS_WIDTH (LEFT + WHOLE_WIDTH - RIGHT)
#define GROUP_FIELDS \
	TEXT(LEFT, 0, DISPLAY_NAME, PIDTAG_DISPLAY_NAME, 256), \
	TEXT(LEFT, 1, ALIAS, PIDTAG_ACCOUNT, 64), \
	TEXT(LEFT, 2, EMAIL, PIDTAG_SMTP_ADDRESS, 256), \
	LABEL(LEFT, 51, LABEL_WIDTH, OWNER), \
	LIST(NSPI_CONTROL_LISTBOX, FIELD(LEFT), 49, FIELD_WIDTH, 32, \
	     OBJECTS(PIDTAG_ADDRESS_BOOK_OWNER)), \
	LABEL(LEFT, 85, LABEL_WIDTH, NOTES), \
	EDIT(LEFT, 95, FIELD(LEFT) + FIELD_WIDTH - LEFT, PAGE_BOTTOM - 95, \
	     NSPI_CONTROL_MULTILINE, PIDTAG_COMMENT, 1024), \
	BOX(RIGHT, 3, MEMBERS_WIDTH, PAGE_BOTTOM - 3, MEMBERS)
#define MEMBERS_LIST(bottom) \
	LIST(NSPI_CONTROL_LISTBOX, RIGHT + 4, 15, MEMBERS_WIDTH - 8, \
	     (bottom) - 15, OBJECTS(PIDTAG_ADDRESS_BOOK_MEMBER))

static const struct nspi_control group_general[] = {
	GROUP_FIELDS,
	MEMBERS_LIST(PAGE_BOTTOM - 4),
};
PAGE(group_general_page, GENERAL, group_general);

/* Clients open a dialog of their own for this property, and then ask for the
   change. */
static const struct nspi_control group_general_writable[] = {
	GROUP_FIELDS,
	MEMBERS_LIST(PAGE_BOTTOM - 22),
	{ .type = NSPI_CONTROL_BUTTON, .x = RIGHT + 4, .y = PAGE_BOTTOM - 18,
	  .width = MEMBERS_WIDTH - 8, .height = 14,
	  .tag = PIDTAG_ADDRESS_BOOK_MANAGE_DISTRIBUTION_LIST,
	  .label = LABEL_MODIFY_MEMBERS },
};
PAGE(group_general_writable_page, GENERAL, group_general_writable);

/* of folders, programs and departments */
static const struct nspi_control other_general[] = {
	WIDE_TEXT(0, DISPLAY_NAME, PIDTAG_DISPLAY_NAME, 256),
	TEXT(LEFT, 1, ALIAS, PIDTAG_ACCOUNT, 64),
	WIDE_TEXT(2, EMAIL, PIDTAG_SMTP_ADDRESS, 256),
	LABEL(LEFT, 51, WHOLE_WIDTH, NOTES),
	EDIT(LEFT, 61, WHOLE_WIDTH, PAGE_BOTTOM - 61, NSPI_CONTROL_MULTILINE,
	     PIDTAG_COMMENT, 1024),
};
PAGE(other_general_page, GENERAL, other_general);

/* What is entered becomes a restriction of GetMatches, [MS-OXOABKT] 3.1.5.4. */
static const struct nspi_control search[] = {
	SEARCH(LEFT, 0, DISPLAY_NAME, PIDTAG_DISPLAY_NAME, 256),
	SEARCH(RIGHT, 0, ALIAS, PIDTAG_ACCOUNT, 64),
	SEARCH(LEFT, 1, FIRST_NAME, PIDTAG_GIVEN_NAME, 64),
	SEARCH(RIGHT, 1, LAST_NAME, PIDTAG_SURNAME, 64),
	SEARCH(LEFT, 2, TITLE, PIDTAG_TITLE, 128),
	SEARCH(RIGHT, 2, COMPANY, PIDTAG_COMPANY_NAME, 64),
	SEARCH(LEFT, 3, DEPARTMENT, PIDTAG_DEPARTMENT_NAME, 64),
	SEARCH(RIGHT, 3, OFFICE, PIDTAG_OFFICE_LOCATION, 128),
	SEARCH(LEFT, 4, CITY, PIDTAG_LOCALITY, 128),
	SEARCH(RIGHT, 4, PHONE, PIDTAG_BUSINESS_TELEPHONE_NUMBER, 64),
};
PAGE(search_page, GENERAL, search);

/* --- templates --------------------------------------------------------------- */

#define PERSON_PAGES { \
	&person_general_page, &organization_page, &phone_notes_page, \
	&member_of_page, &addresses_page, NULL }
#define OTHER_PAGES { \
	&other_general_page, &member_of_page, &addresses_page, NULL }

/* Those for the writable come before the others. */
static const struct nspi_template templates[] = {
	{ .display_type = NSPI_DT_MAILUSER, .pages = PERSON_PAGES },
	{ .display_type = NSPI_DT_REMOTE_MAILUSER, .pages = PERSON_PAGES },
	/* Clients ask for those of DT_MAILUSER, as PidTagDisplayType has it. */
	{ .display_type = NSPI_DT_ROOM, .pages = PERSON_PAGES },
	{ .display_type = NSPI_DT_EQUIPMENT, .pages = PERSON_PAGES },
	{ .display_type = NSPI_DT_DISTLIST, .writable = TRUE,
	  .pages = { &group_general_writable_page, &member_of_page,
		     &addresses_page, NULL } },
	{ .display_type = NSPI_DT_DISTLIST,
	  .pages = { &group_general_page, &member_of_page, &addresses_page,
		     NULL } },
	/* A template for each display type, [MS-OXOABKT] 3.2.1.1. That of private
	   lists is the client's own. */
	{ .display_type = NSPI_DT_FORUM, .pages = OTHER_PAGES },
	{ .display_type = NSPI_DT_AGENT, .pages = OTHER_PAGES },
	{ .display_type = NSPI_DT_ORGANIZATION, .pages = OTHER_PAGES },
	{ .display_type = NSPI_DT_SEARCH, .pages = { &search_page, NULL } },
};

const struct nspi_template *
nspi_template_find(uint32_t display_type, bool writable)
{
	for (unsigned int i = 0; i < N_ELEMENTS(templates); i++) {
		if (templates[i].display_type == display_type &&
		    (writable || !templates[i].writable))
			return &templates[i];
	}
	return NULL;
}
