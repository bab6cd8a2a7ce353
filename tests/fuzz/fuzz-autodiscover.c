/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Autodiscover requests as mapi-login hands them on: the first byte says who
   asks and by which method, the second which path; then follow, each ended by a
   NUL, the path's rest, the query and the Host header, and the body. */

#include "lib.h"
#include "json-parser.h"
#include "istream.h"
#include "str.h"
#include "unichar.h"
#include "../unit/nspi-fixture.h"
#include "autodiscover.h"

#include <expat.h>

#define FUZZ_LOGGED_IN 0x01
#define FUZZ_SNAPSHOT 0x02
#define FUZZ_STRANGER 0x04
#define FUZZ_EXTERNAL_URL 0x08
#define FUZZ_METHOD_SHIFT 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const methods[] = { "POST", "GET", "HEAD", "OPTIONS" };
static const char *const paths[] = {
	"/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.json",
	"/autodiscover/autodiscover.json/v1.0/", "/",
};
static struct nspi_fixture fix;

static void fuzz_deinit(void)
{
	nspi_fixture_deinit(&fix);
	lib_deinit();
}

static const char *fuzz_str(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, '\0', *size);
	size_t len = end == NULL ? *size : (size_t)(end - *data);
	const char *ret = t_strndup(*data, len);

	*data += len;
	*size -= len;
	if (*size > 0) {
		(*data)++;
		(*size)--;
	}
	return ret;
}

static void check_xml(const char *body)
{
	XML_Parser xml = XML_ParserCreate(NULL);

	if (XML_Parse(xml, body, strlen(body), XML_TRUE) != XML_STATUS_OK) {
		i_panic("not XML (%s): %s",
			XML_ErrorString(XML_GetErrorCode(xml)), body);
	}
	XML_ParserFree(xml);
}

static void check_json(const char *body)
{
	struct istream *input = i_stream_create_from_data(body, strlen(body));
	struct json_parser *parser = json_parser_init(input);
	enum json_type type;
	const char *value, *error;
	int ret;

	while ((ret = json_parse_next(parser, &type, &value)) > 0)
		;
	if (json_parser_deinit(&parser, &error) < 0)
		i_panic("not JSON (%s): %s", error, body);
	i_stream_unref(&input);
}

static void check_response(const struct autodiscover_response *resp)
{
	switch (resp->status) {
	case 200:
	case 400:
		if (strstr(resp->content_type, "xml") != NULL)
			check_xml(resp->body);
		else
			check_json(resp->body);
		if (!uni_utf8_str_is_valid(resp->body))
			i_panic("not UTF-8: %s", resp->body);
		break;
	case 401:
	case 404:
	case 405:
		break;
	default:
		i_panic("status %u", resp->status);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool initialized = FALSE;
	struct autodiscover_settings set;
	struct autodiscover_response resp;
	const char *fields[6];
	unsigned int i = 0;

	if (!initialized) {
		initialized = TRUE;
		lib_init();
		nspi_fixture_init(&fix);
		atexit(fuzz_deinit);
	}
	if (size < 2)
		return 0;
	unsigned int flags = data[0];
	const char *path = paths[data[1] % N_ELEMENTS(paths)];

	data += 2;
	size -= 2;
	i_zero(&set);
	set.organization = "Test";
	set.automapping = TRUE;
	set.external_url = (flags & FUZZ_EXTERNAL_URL) == 0 ? "" :
		"https://mail.example.org";
	T_BEGIN {
		fields[i++] = t_strconcat("method=", methods[
			flags >> FUZZ_METHOD_SHIFT & 3], NULL);
		fields[i++] = t_strconcat("path=", path,
					  fuzz_str(&data, &size), NULL);
		fields[i++] = t_strconcat("query=", fuzz_str(&data, &size),
					  NULL);
		fields[i++] = t_strconcat("host=", fuzz_str(&data, &size),
					  NULL);
		if ((flags & FUZZ_LOGGED_IN) != 0) {
			fields[i++] = (flags & FUZZ_STRANGER) == 0 ?
				"user=user00@example.org" :
				"user=stranger@example.org";
		}
		fields[i] = NULL;
		autodiscover_handle(&set, (flags & FUZZ_SNAPSHOT) == 0 ? NULL :
				    fix.snapshot, fields, data, size, &resp);
		check_response(&resp);
	} T_END;
	return 0;
}
