/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Header fields as text: folding ([RFC5322] 2.2.3), encoded words ([RFC2047]),
   parameters ([RFC2231]). Whatever a value is, it stays within its field. */

#include "lib.h"
#include "str.h"
#include "base64.h"
#include "unichar.h"
#include "mapi-value.h"
#include "mime-build-private.h"
#include "mime-text.h"

#include <ctype.h>
#include <time.h>

/* [RFC5322] 2.1.1: 78 without CRLF, and what MIME has */
#define LINE_LEN 76
/* longer words can't be in a line of at most 998 bytes, with the name */
#define WORD_MAX 850
/* [RFC2047] 2 */
#define ENCODED_WORD_MAX 75
#define ENCODED_WORD_PREFIX "=?utf-8?b?"
/* in a quoted string; longer names are encoded words */
#define QUOTED_MAX 200
#define FIELD_NAME_MAX 100
/* one piece of a parameter's value */
#define PARAM_PIECE_LEN 54
#define PARAM_MAX 1024

const char *t_mime_build_clean(const char *value)
{
	string_t *str;
	char *copy, *p, *end;

	if (value == NULL)
		return "";
	str = t_str_new(strlen(value) + 16);
	if (uni_utf8_get_valid_data((const unsigned char *)value,
				    strlen(value), str))
		str_append(str, value);
	copy = str_c_modifiable(str);
	for (p = copy; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
	for (end = p; end > copy && end[-1] == ' '; end--) ;
	*end = '\0';
	while (*copy == ' ')
		copy++;
	return copy;
}

bool mime_build_field_name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		if ((unsigned char)name[i] <= 0x20 ||
		    (unsigned char)name[i] >= 0x7f || name[i] == ':' ||
		    i >= FIELD_NAME_MAX)
			return FALSE;
	}
	return i > 0;
}

/* bytes in the last line of dest */
static size_t column(const string_t *dest)
{
	const char *data = str_c((string_t *)dest);
	size_t len = str_len(dest), i = len;

	while (i > 0 && data[i-1] != '\n')
		i--;
	return len - i;
}

static void fold(string_t *dest)
{
	str_append(dest, "\r\n ");
}

/* --- encoded words ---------------------------------------------------------- */

static bool is_q_safe(unsigned char c)
{
	/* [RFC2047] 5 (3): what is safe in a phrase is anywhere */
	return i_isalnum(c) || c == '!' || c == '*' || c == '+' || c == '-' ||
		c == '/' || c == ' ';
}

static void append_q(string_t *dest, const char *str, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (str[i] == ' ')
			str_append_c(dest, '_');
		else if (is_q_safe(str[i]))
			str_append_c(dest, str[i]);
		else
			str_printfa(dest, "=%02X", (unsigned char)str[i]);
	}
}

static size_t q_length(const char *str, size_t len)
{
	size_t i, total = 0;

	for (i = 0; i < len; i++)
		total += is_q_safe(str[i]) ? 1 : 3;
	return total;
}

/* How many bytes of str, whole characters, fit into an encoded word with room
   for max bytes. */
static size_t fitting(const char *str, bool q, size_t max)
{
	size_t len = 0, next, size = 0;

	while (str[len] != '\0') {
		next = len + 1;
		while (((unsigned char)str[next] & 0xc0) == 0x80)
			next++;
		size = q ? size + q_length(str + len, next - len) :
			MAX_BASE64_ENCODED_SIZE(next);
		if (size > max)
			break;
		len = next;
	}
	return len;
}

/* str is valid UTF-8 */
static void append_encoded_words(string_t *dest, const char *str)
{
	bool q = q_length(str, strlen(str)) <=
		MAX_BASE64_ENCODED_SIZE(strlen(str));
	size_t overhead = strlen(ENCODED_WORD_PREFIX) + 2, len, col;

	while (*str != '\0') {
		col = column(dest);
		len = col + overhead >= ENCODED_WORD_MAX ? 0 :
			fitting(str, q, ENCODED_WORD_MAX - overhead - col);
		if (len == 0) {
			if (col <= 1) {
				/* it fits into an empty line */
				i_unreached();
			}
			fold(dest);
			continue;
		}
		str_append(dest, q ? "=?utf-8?q?" : ENCODED_WORD_PREFIX);
		if (q)
			append_q(dest, str, len);
		else
			base64_encode(str, len, dest);
		str_append(dest, "?=");
		str += len;
		if (*str != '\0')
			fold(dest);
	}
}

/* --- fields ----------------------------------------------------------------- */

static bool is_ascii(const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str >= 0x80)
			return FALSE;
	}
	return TRUE;
}

static bool has_long_word(const char *str)
{
	size_t len;

	while (*str != '\0') {
		len = strspn(str, " ");
		len += strcspn(str + len, " ");
		if (len > WORD_MAX)
			return TRUE;
		str += len;
	}
	return FALSE;
}

/* Lines are broken before blanks, which stay. */
static void append_folded(string_t *dest, const char *str)
{
	size_t blanks, len;
	bool first = TRUE;

	while (*str != '\0') {
		blanks = strspn(str, " ");
		len = blanks + strcspn(str + blanks, " ");
		if (!first && column(dest) + len > LINE_LEN)
			str_append(dest, "\r\n");
		str_append_data(dest, str, len);
		str += len;
		first = FALSE;
	}
}

static void
add_field(string_t *dest, const char *name, const char *value, bool encode)
{
	if (*value == '\0')
		return;
	str_append(dest, name);
	str_append(dest, ": ");
	if (encode)
		append_encoded_words(dest, value);
	else
		append_folded(dest, value);
	str_append(dest, "\r\n");
}

void mime_build_add_text(string_t *dest, const char *name, const char *value)
{
	value = t_mime_build_clean(value);
	add_field(dest, name, value, !is_ascii(value) ||
		  strstr(value, "=?") != NULL || has_long_word(value));
}

void mime_build_add_raw(string_t *dest, const char *name, const char *value)
{
	value = t_mime_build_clean(value);
	add_field(dest, name, value, !is_ascii(value) || has_long_word(value));
}

/* --- addresses -------------------------------------------------------------- */

static bool is_atext(unsigned char c)
{
	return i_isalnum(c) || (c != '\0' &&
				strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static void append_quoted(string_t *dest, const char *str)
{
	str_append_c(dest, '"');
	for (; *str != '\0'; str++) {
		if (*str == '"' || *str == '\\')
			str_append_c(dest, '\\');
		str_append_c(dest, *str);
	}
	str_append_c(dest, '"');
}

/* A display name, [RFC5322] 3.2.5 */
static void append_phrase(string_t *dest, const char *name)
{
	size_t i;
	bool atoms = TRUE;

	for (i = 0; name[i] != '\0'; i++) {
		if (!is_atext(name[i]) &&
		    (name[i] != ' ' || i == 0 || name[i-1] == ' '))
			atoms = FALSE;
	}
	if (!is_ascii(name) || strstr(name, "=?") != NULL || i > QUOTED_MAX) {
		if (column(dest) > LINE_LEN / 2)
			fold(dest);
		append_encoded_words(dest, name);
		return;
	}
	if (column(dest) > 1 && column(dest) + i + 2 > LINE_LEN)
		fold(dest);
	if (atoms)
		str_append(dest, name);
	else
		append_quoted(dest, name);
}

/* "local@domain", or whatever stands instead of it. Without what can't be in
   an address. */
static void append_addr_spec(string_t *dest, const char *address)
{
	const char *at = strrchr(address, '@'), *p, *local;
	bool dot_atom = TRUE;

	local = at == NULL ? address : t_strdup_until(address, at);
	for (p = local; *p != '\0'; p++) {
		if (!is_atext(*p) && (unsigned char)*p < 0x80 &&
		    (*p != '.' || p == local || p[1] == '.' || p[1] == '\0'))
			dot_atom = FALSE;
	}
	if (dot_atom && *local != '\0')
		str_append(dest, local);
	else
		append_quoted(dest, local);
	if (at == NULL || at[1] == '\0')
		return;
	str_append_c(dest, '@');
	for (p = at + 1; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80 || i_isalnum(*p) ||
		    strchr(".-_[]:", *p) != NULL)
			str_append_c(dest, *p);
	}
}

static void append_address(string_t *dest, const struct mime_address *addr)
{
	const char *name = t_mime_build_clean(addr->name);
	const char *address = t_mime_build_clean(addr->address);
	string_t *spec;

	if (*address == '\0' || strlen(address) > WORD_MAX / 2) {
		/* [RFC5322] 3.4 has no other name without an address */
		append_phrase(dest, name);
		str_append(dest, ":;");
		return;
	}
	if (*name != '\0' && strcmp(name, address) != 0) {
		append_phrase(dest, name);
		str_append_c(dest, ' ');
	}
	spec = t_str_new(64);
	append_addr_spec(spec, address);
	if (column(dest) > 1 && column(dest) + str_len(spec) + 3 > LINE_LEN)
		fold(dest);
	str_printfa(dest, "<%s>", str_c(spec));
}

void mime_build_add_addresses(string_t *dest, const char *name,
			      const struct mime_address *addresses,
			      unsigned int count)
{
	unsigned int i;

	if (count == 0)
		return;
	str_append(dest, name);
	str_append(dest, ": ");
	for (i = 0; i < count; i++) T_BEGIN {
		if (i > 0)
			str_append(dest, ",\r\n ");
		append_address(dest, &addresses[i]);
	} T_END;
	str_append(dest, "\r\n");
}

/* --- parameters ------------------------------------------------------------- */

static bool is_attribute_char(unsigned char c)
{
	/* [RFC2231] 7, [RFC2045] 5.1 */
	return i_isalnum(c) || (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

/* cut at the limit */
static const char *t_param_clean(const char *value)
{
	value = t_mime_build_clean(value);
	return t_strndup(value, mime_utf8_cut(value, PARAM_MAX));
}

static bool param_is_simple(const char *value)
{
	return is_ascii(value) && strlen(value) <= PARAM_PIECE_LEN &&
		strstr(value, "=?") == NULL;
}

static void
add_simple_param(string_t *dest, const char *name, const char *value)
{
	str_printfa(dest, ";\r\n\t%s=", name);
	append_quoted(dest, value);
}

void mime_build_add_param(string_t *dest, const char *name, const char *value)
{
	string_t *piece = t_str_new(PARAM_PIECE_LEN + 16);
	unsigned int pieces = 0;

	value = t_param_clean(value);
	if (*value == '\0')
		return;
	if (param_is_simple(value)) {
		add_simple_param(dest, name, value);
		return;
	}
	str_append(piece, "utf-8''");
	while (*value != '\0') {
		for (; *value != '\0' && str_len(piece) < PARAM_PIECE_LEN;
		     value++) {
			if (is_attribute_char(*value))
				str_append_c(piece, *value);
			else
				str_printfa(piece, "%%%02X",
					    (unsigned char)*value);
		}
		if (pieces == 0 && *value == '\0')
			str_printfa(dest, ";\r\n\t%s*=", name);
		else
			str_printfa(dest, ";\r\n\t%s*%u*=", name, pieces);
		str_append_str(dest, piece);
		str_truncate(piece, 0);
		pieces++;
	}
}

void mime_build_add_param_2047(string_t *dest, const char *name,
			       const char *value)
{
	value = t_param_clean(value);
	if (*value == '\0')
		return;
	if (param_is_simple(value)) {
		add_simple_param(dest, name, value);
		return;
	}
	str_printfa(dest, ";\r\n\t%s=\"", name);
	append_encoded_words(dest, value);
	str_append_c(dest, '"');
}

/* --- dates ------------------------------------------------------------------ */

bool mime_build_date(uint64_t filetime, const char **date_r)
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	time_t timestamp = mapi_time_to_unix(filetime);
	struct tm tm;

	if (gmtime_r(&timestamp, &tm) == NULL ||
	    tm.tm_year < 0 || tm.tm_year > 9999 - 1900)
		return FALSE;
	*date_r = t_strdup_printf("%s, %02d %s %04d %02d:%02d:%02d +0000",
				  days[tm.tm_wday], tm.tm_mday,
				  months[tm.tm_mon], tm.tm_year + 1900,
				  tm.tm_hour, tm.tm_min, tm.tm_sec);
	return TRUE;
}
