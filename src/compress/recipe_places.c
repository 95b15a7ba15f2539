#include "compress/recipe_places.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

/* Deeper and longer than any recipe; bounds what a hostile text can cost. */
#define DEPTH_MAX 12
#define PLACES_MAX 4096

/* One open map or list. */
typedef struct frame {
    bool list;
    bool has_key;       /* a map's key was read, its value comes next */
    size_t place;       /* of the list itself */
    size_t path_length; /* of the map or list itself */
} frame;

typedef struct walk {
    const char *file;
    const uint8_t *text;
    size_t text_count;
    recipe_places *out;
    frame frames[DEPTH_MAX];
    size_t depth;
    char path[RECIPE_PATH_MAX]; /* of the value read next */
    uint32_t documents;
} walk;

static uint32_t line_of(const yaml_event_t *event) {
    return (uint32_t)event->start_mark.line + 1;
}

/* Printable ASCII only: messages stay one line whatever the text holds. */
static void copy_printable(char *out, size_t size, const char *text, size_t length) {
    size_t i = 0;
    for (; i + 1 < size && i < length; i++)
        out[i] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
    out[i] = 0;
}

const recipe_place *recipe_places_find(const recipe_places *places, const char *path) {
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->places[i].path, path) == 0)
            return &places->places[i];
    return NULL;
}

uint32_t recipe_places_line(const recipe_places *places, const char *path) {
    const recipe_place *place = recipe_places_find(places, path);
    return place == NULL ? 1 : place->line;
}

void recipe_places_join(char out[RECIPE_PATH_MAX], const char *above, const char *key) {
    size_t used = strlen(above);
    memcpy(out, above, used);
    if (used > 0 && used + 1 < RECIPE_PATH_MAX)
        out[used++] = '.';
    size_t length = strlen(key);
    size_t room = RECIPE_PATH_MAX - 1 - used;
    length = length < room ? length : room;
    memcpy(out + used, key, length);
    out[used + length] = 0;
}

void recipe_places_free(recipe_places *places) {
    base_free(places->places);
    memset(places, 0, sizeof *places);
}

static admmnn_status add_place(walk *w, uint32_t line, admmnn_error *err) {
    recipe_places *all = w->out;
    if (recipe_places_find(all, w->path) != NULL)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: %s: given a second time", w->file, line,
                         w->path);
    if (all->count == PLACES_MAX)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: more than %d keys", w->file, line, PLACES_MAX);
    recipe_place *grown =
        base_array_grow(all->places, all->count, &all->capacity, sizeof *all->places);
    if (grown == NULL)
        return base_fail_memory(err, "the recipe's keys");
    all->places = grown;
    recipe_place *place = &all->places[all->count++];
    memcpy(place->path, w->path, sizeof place->path);
    place->line = line;
    return ADMMNN_OK;
}

/* The path of the value read next: `at` bytes of it stay. */
static admmnn_status extend_path(walk *w, size_t at, const char *text, uint32_t line,
                                 admmnn_error *err) {
    if (at + strlen(text) >= sizeof w->path)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a key longer than any recipe's", w->file, line);
    memcpy(w->path + at, text, strlen(text) + 1);
    return ADMMNN_OK;
}

/* A scalar where a map wants a key. Dots and brackets would be taken for parts
 * of the path. */
static admmnn_status take_key(walk *w, const yaml_event_t *event, admmnn_error *err) {
    frame *top = &w->frames[w->depth - 1];
    char key[RECIPE_PATH_MAX] = ".";
    copy_printable(key + 1, sizeof key - 1, (const char *)event->data.scalar.value,
                   event->data.scalar.length);
    for (char *c = strpbrk(key + 1, ".[]"); c != NULL; c = strpbrk(c, ".[]"))
        *c = '?';
    BASE_TRY(extend_path(w, top->path_length, top->path_length == 0 ? key + 1 : key, line_of(event),
                         err));
    top->has_key = true;
    return add_place(w, line_of(event), err);
}

/* The start of any value: a list's entry gets its own place, a map's value has
 * its key's. */
static admmnn_status begin_value(walk *w, const yaml_event_t *event, recipe_kind kind,
                                 admmnn_error *err) {
    if (w->depth == 0)
        return kind == RECIPE_MAP
                   ? ADMMNN_OK
                   : base_fail(err, ADMMNN_INPUT, "%s:%u: a recipe is a map of keys to values",
                               w->file, line_of(event));
    frame *top = &w->frames[w->depth - 1];
    if (!top->list && !top->has_key)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a key must be a word", w->file, line_of(event));
    if (top->list) {
        char index[16];
        snprintf(index, sizeof index, "[%u]", w->out->places[top->place].count++);
        BASE_TRY(extend_path(w, top->path_length, index, line_of(event), err));
        BASE_TRY(add_place(w, line_of(event), err));
    }
    w->out->places[w->out->count - 1].kind = kind;
    return ADMMNN_OK;
}

static void end_value(walk *w) {
    if (w->depth > 0)
        w->frames[w->depth - 1].has_key = false;
}

static admmnn_status open_frame(walk *w, const yaml_event_t *event, admmnn_error *err) {
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    BASE_TRY(begin_value(w, event, list ? RECIPE_LIST : RECIPE_MAP, err));
    if (w->depth == DEPTH_MAX)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: nested deeper than any recipe", w->file,
                         line_of(event));
    w->frames[w->depth++] =
        (frame){.list = list, .place = w->out->count - 1, .path_length = strlen(w->path)};
    return ADMMNN_OK;
}

static admmnn_status take_scalar(walk *w, const yaml_event_t *event, admmnn_error *err) {
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(text, 0, length) != NULL)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a zero byte in a text", w->file,
                         line_of(event));
    if (w->depth > 0 && !w->frames[w->depth - 1].list && !w->frames[w->depth - 1].has_key)
        return take_key(w, event, err);
    BASE_TRY(begin_value(w, event, RECIPE_SCALAR, err));
    recipe_place *place = &w->out->places[w->out->count - 1];
    copy_printable(place->value, sizeof place->value, text, length);
    place->count = (uint32_t)length;
    place->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    end_value(w);
    return ADMMNN_OK;
}

/* A tag could change what a value is, an anchor is of no use without aliases. */
static admmnn_status refuse_properties(const walk *w, const yaml_event_t *event,
                                       admmnn_error *err) {
    const yaml_char_t *tag = NULL;
    const yaml_char_t *anchor = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        tag = event->data.scalar.tag;
        anchor = event->data.scalar.anchor;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        tag = event->data.mapping_start.tag;
        anchor = event->data.mapping_start.anchor;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        tag = event->data.sequence_start.tag;
        anchor = event->data.sequence_start.anchor;
    }
    if (anchor != NULL)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a recipe has no anchors; remove the '&'",
                         w->file, line_of(event));
    if (tag != NULL)
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a recipe has no tags; remove the '!'", w->file,
                         line_of(event));
    return ADMMNN_OK;
}

static admmnn_status take_event(walk *w, const yaml_event_t *event, admmnn_error *err) {
    BASE_TRY(refuse_properties(w, event, err));
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (w->documents++ > 0)
            return base_fail(err, ADMMNN_INPUT, "%s:%u: a second document; a recipe is one",
                             w->file, line_of(event));
        return ADMMNN_OK;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(w, event, err);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        w->depth--;
        end_value(w);
        return ADMMNN_OK;
    case YAML_SCALAR_EVENT:
        return take_scalar(w, event, err);
    case YAML_ALIAS_EVENT:
        return base_fail(err, ADMMNN_INPUT, "%s:%u: a recipe has no aliases; repeat the value",
                         w->file, line_of(event));
    default:
        return ADMMNN_OK;
    }
}

/* libyaml gives no line for bytes that are no characters, only their place. */
static size_t line_of_byte(const uint8_t *text, size_t count, size_t place) {
    size_t line = 1;
    for (size_t i = 0; i < count && i < place; i++)
        line += text[i] == '\n';
    return line;
}

static admmnn_status fail_syntax(const walk *w, const yaml_parser_t *parser, admmnn_error *err) {
    if (parser->error == YAML_MEMORY_ERROR)
        return base_fail_memory(err, "the recipe");
    char problem[128];
    const char *text = parser->problem == NULL ? "unreadable" : parser->problem;
    copy_printable(problem, sizeof problem, text, strlen(text));
    size_t line = parser->error == YAML_READER_ERROR
                      ? line_of_byte(w->text, w->text_count, parser->problem_offset)
                      : parser->problem_mark.line + 1;
    return base_fail(err, ADMMNN_INPUT, "%s:%zu: not YAML: %s", w->file, line, problem);
}

static admmnn_status walk_events(walk *w, yaml_parser_t *parser, admmnn_error *err) {
    for (bool end = false; !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return fail_syntax(w, parser, err);
        admmnn_status status = take_event(w, &event, err);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        BASE_TRY(status);
    }
    if (w->documents == 0)
        return base_fail(err, ADMMNN_INPUT, "%s:1: empty; a recipe names at least its model",
                         w->file);
    return ADMMNN_OK;
}

admmnn_status recipe_places_read(const char *file, const uint8_t *text, size_t count,
                                 recipe_places *out, admmnn_error *err) {
    memset(out, 0, sizeof *out);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return base_fail_memory(err, "the recipe");
    yaml_parser_set_input_string(&parser, text, count);
    walk w = {.file = file, .text = text, .text_count = count, .out = out};
    admmnn_status status = walk_events(&w, &parser, err);
    yaml_parser_delete(&parser);
    return status;
}
