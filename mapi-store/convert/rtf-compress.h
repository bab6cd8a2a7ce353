/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_COMPRESS_H
#define RTF_COMPRESS_H

/* What PidTagRtfCompressed (0x10090102) holds: RTF behind a header of 16 bytes,
   compressed (LZFu) or as it is (MELA). [MS-OXRTFCP] */

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <talloc.h>

#define RTF_COMPRESS_HEADER_SIZE 16

/* The RTF of a PidTagRtfCompressed, both forms ([MS-OXRTFCP] 2.2.3).
   *rtf_r is allocated from mem and has a NUL after its *size_r bytes.

   Returns -1 and a reason in *error_r (a constant string) if
   - the header is cut, or its type is neither LZFu nor MELA;
   - COMPSIZE is more than there is, or the data ends before its end mark and
     before RAWSIZE bytes have come out;
   - the checksum of compressed data is wrong;
   - there would be more than max_size bytes of RTF.
   What comes after COMPSIZE is padding and ignored. RAWSIZE isn't believed:
   memory is allocated for what the input can make at most (17 bytes out of
   two), and where the end mark comes before or after RAWSIZE bytes, the end
   mark counts. */
int rtf_decompress(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		   size_t max_size, uint8_t **rtf_r, size_t *size_r,
		   const char **error_r);

/* RTF as PidTagRtfCompressed, LZFu ([MS-OXRTFCP] 2.3.3.2): what rtf_decompress()
   gives back as it was. The RTF may be at most RTF_COMPRESS_MAX bytes. Never
   more than 9/8 of the input and 32 bytes; the time is proportional to the
   input (a bounded search of the dictionary per byte). */
#define RTF_COMPRESS_MAX (1U << 30)
void rtf_compress(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		  uint8_t **data_r, size_t *size_r);

#endif
