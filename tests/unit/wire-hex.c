/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *wire_hex(TALLOC_CTX *mem, const char *hex, size_t *size_r)
{
	uint8_t *data = talloc_array(mem, uint8_t, strlen(hex) / 2 + 1);
	size_t size = 0;
	unsigned int byte;

	while (*hex != '\0') {
		if (*hex == ' ' || *hex == '-') {
			hex++;
			continue;
		}
		if (!isxdigit((unsigned char)hex[0]) ||
		    sscanf(hex, "%2x", &byte) != 1) {
			fprintf(stderr, "bad hex: %s\n", hex);
			abort();
		}
		data[size++] = (uint8_t)byte;
		hex += 2;
	}
	*size_r = size;
	return data;
}
