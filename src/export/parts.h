/* The C code of the operations, the files of parts/, cut into sections. A section begins with a
 * line of three asterisks in a comment that names it and, behind a colon, those it needs, which are
 * before it. The sections "unary" and "binary" are patterns, written once for each kind that is
 * used. */
#ifndef EXPORT_PARTS_H
#define EXPORT_PARTS_H

#include "base/bytes.h"
#include "graph/graph.h"

/* The text of all of them, one after another; made by the build. */
extern const char export_parts_text[];

#define EXPORT_SECTIONS_MAX 64
#define EXPORT_SECTION_NAME_MAX 24

typedef struct export_section {
    char name[EXPORT_SECTION_NAME_MAX];
    const char *needs; /* the rest of its first line */
    const char *text;
    size_t length;
    bool used;
} export_section;

typedef struct export_parts {
    export_section sections[EXPORT_SECTIONS_MAX];
    uint32_t count;
    bool unary[GRAPH_UNARY_COUNT + 1]; /* the last: a rectifier */
    bool binary[GRAPH_BINARY_COUNT];
} export_parts;

#define EXPORT_RECTIFIER GRAPH_UNARY_COUNT

void export_parts_open(export_parts *parts);
/* The code of that section is wanted, and of those it needs. */
void export_parts_use(export_parts *parts, const char *name);
/* The same for a function of one number (kind: EXPORT_RECTIFIER too), with the name of the C
 * function and how many of the node's numbers it takes, and for one of two. */
const char *export_parts_use_unary(export_parts *parts, uint32_t kind, uint32_t *numbers);
const char *export_parts_use_binary(export_parts *parts, uint32_t kind);
/* All that is wanted, in the order of the files. */
void export_parts_write(const export_parts *parts, base_writer *out);

#endif
