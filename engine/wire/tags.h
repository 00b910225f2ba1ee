/* tags.h -- the tag bytes of the packed form, for pack.c and unpack.c alone (see pack.h).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_WIRE_TAGS_H
#define DTS_WIRE_TAGS_H

enum {
  TAG_NULL = 0x00,
  TAG_FALSE = 0x01,
  TAG_TRUE = 0x02,
  TAG_INTEGER = 0x03, /* + zigzag varint */
  TAG_REAL = 0x04,    /* + 8 bytes, little-endian */
  TAG_TEXT = 0x05,    /* + varint size + bytes */
  TAG_LIST = 0x06,    /* + varint count + items */
  TAG_MAP = 0x07,     /* + varint count + (text, item)s */
  TAG_OPEN_LIST = 0x08,
  TAG_OPEN_MAP = 0x09,
  TAG_END = 0x0a,
  TAG_SMALL = 0x20, /* .. 0x7f: integers 0 .. 95 */
  TAG_SMALL_COUNT = 96,
  TAG_SHORT = 0x80, /* .. 0xff: texts of 0 .. 127 bytes */
  TAG_SHORT_COUNT = 128
};

#endif
