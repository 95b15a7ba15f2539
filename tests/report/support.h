/* A checker of well-formed XML, and figures to report, shared by the tests. */
#ifndef TESTS_REPORT_SUPPORT_H
#define TESTS_REPORT_SUPPORT_H

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"

#define XML_DEPTH_MAX 64

/* Enough of XML 1.0 for what the reports write: elements that close in order,
 * quoted attributes of different names, known entities, no stray markup. NULL when
 * well-formed, else what is wrong. */
typedef struct xml_check {
    const char *at;
    char names[XML_DEPTH_MAX][32];
    size_t depth;
    bool root;
} xml_check;

static inline bool xml_name(xml_check *x, char *name) {
    size_t length = 0;
    while (isalnum((unsigned char)x->at[length]) || x->at[length] == '-' || x->at[length] == ':')
        length++;
    if (length == 0 || length >= 32)
        return false;
    memcpy(name, x->at, length);
    name[length] = 0;
    x->at += length;
    return true;
}

static inline bool xml_entity(xml_check *x) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < 5; i++)
        if (strncmp(x->at, known[i], strlen(known[i])) == 0) {
            x->at += strlen(known[i]);
            return true;
        }
    return false;
}

static inline const char *xml_attributes(xml_check *x) {
    char seen[16][32];
    size_t count = 0;
    for (;;) {
        const char *space = x->at;
        while (isspace((unsigned char)*x->at))
            x->at++;
        if (*x->at == '>' || *x->at == '/')
            return NULL;
        if (x->at == space || count == 16 || !xml_name(x, seen[count]))
            return "an attribute's name";
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i], seen[count]) == 0)
                return "an attribute twice";
        count++;
        if (x->at[0] != '=' || x->at[1] != '"')
            return "an attribute without a quoted value";
        for (x->at += 2; *x->at != '"';) {
            if (*x->at == 0 || *x->at == '<')
                return "an attribute's value";
            if (*x->at == '&' ? !xml_entity(x) : (x->at++, false))
                return "an entity in an attribute";
        }
        x->at++;
    }
}

static inline const char *xml_tag(xml_check *x) {
    char name[32];
    x->at++;
    if (*x->at == '/') {
        x->at++;
        if (!xml_name(x, name) || *x->at++ != '>')
            return "a closing tag";
        if (x->depth == 0 || strcmp(x->names[--x->depth], name) != 0)
            return "a closing tag out of order";
        return NULL;
    }
    if (!xml_name(x, name))
        return "a tag's name";
    if (x->depth == 0 && x->root)
        return "a second root";
    x->root = true;
    const char *wrong = xml_attributes(x);
    if (wrong != NULL)
        return wrong;
    bool empty = *x->at == '/';
    x->at += empty;
    if (*x->at++ != '>')
        return "a tag's end";
    if (empty)
        return NULL;
    if (x->depth == XML_DEPTH_MAX)
        return "too deep";
    memcpy(x->names[x->depth++], name, sizeof name);
    return NULL;
}

static inline const char *xml_wrong(const char *text) {
    xml_check x = {.at = text};
    if (strncmp(text, "<!DOCTYPE html>", 15) == 0)
        x.at += 15;
    while (*x.at != 0) {
        const char *wrong = NULL;
        if (*x.at == '<')
            wrong = xml_tag(&x);
        else if (*x.at == '&')
            wrong = xml_entity(&x) ? NULL : "an entity";
        else if (x.depth == 0 && !isspace((unsigned char)*x.at))
            wrong = "text outside the root";
        else if ((unsigned char)*x.at < 0x20 && !isspace((unsigned char)*x.at))
            wrong = "a control character";
        else
            x.at++;
        if (wrong != NULL)
            return wrong;
    }
    return x.depth > 0 ? "an element that is not closed" : x.root ? NULL : "no root";
}

static inline size_t times(const char *text, const char *what) {
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

/* Every shape and text of the plots says its colour itself, or the group about it does:
 * a reader that knows no style sheet draws what is without one in black. NULL when so,
 * else the tag that does not. */
static inline const char *svg_colourless(const char *svg) {
    static const char *const shapes[] = {"<path ", "<circle ", "<rect ", "<text "};
    const char *group = NULL; /* the tag that is open */
    const char *end = svg;
    for (const char *at = strchr(svg, '<'); at != NULL; at = strchr(end, '<')) {
        end = strchr(at, '>');
        bool shape = false;
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
            shape = shape || strncmp(at, shapes[i], strlen(shapes[i])) == 0;
        if (strncmp(at, "<g ", 3) == 0 || strncmp(at, "<clipPath ", 10) == 0)
            group = at;
        if (strncmp(at, "</g>", 4) == 0 || strncmp(at, "</clipPath>", 11) == 0)
            group = NULL;
        const char *fill = strstr(group == NULL || !shape ? at : group, " fill=\"#");
        const char *stroke = strstr(at, " stroke=\"#");
        bool clip = group != NULL && group[1] == 'c'; /* is not drawn */
        if (shape && !clip && (fill == NULL || fill > end) && (stroke == NULL || stroke > end))
            return at;
    }
    return NULL;
}

/* A new folder under the system's place for temporary files, for the tests of one program:
 * cmocka's set-up and tear-down of the group. */
static char folder[BASE_PATH_MAX];

static inline int make_folder(void **state) {
    (void)state;
    const char *root = getenv("TMPDIR");
    snprintf(folder, BASE_PATH_MAX, "%s/admmnn-report-XXXXXX", root == NULL ? "/tmp" : root);
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

/* The file's text (base_free), NULL when it is not there. */
static inline char *file_take(const char *name) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    assert_int_equal(base_path_join(path, sizeof path, folder, name, NULL), ADMMNN_OK);
    if (base_file_read(path, 1 << 26, &bytes, &count, NULL) != ADMMNN_OK)
        return NULL;
    assert_int_equal(unlink(path), 0);
    return (char *)bytes;
}

#endif
