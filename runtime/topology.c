#include "topology.h"

#include <string.h>

admmnn_runtime_status rt_topology_corrupt(const rt_topology *t, const char *reason) {
    return rt_fail(t->opening->err, ADMMNN_RUNTIME_CORRUPT, reason, t->in->at);
}

admmnn_runtime_status rt_topology_memory(const rt_topology *t) {
    const rt_opening *opening = t->opening;
    return rt_fail(opening->err, rt_memory_status(opening->memory), "no memory for the network",
                   t->in->at);
}

/* Bytes of the UTF-8 character that the bytes begin with; 0: none. */
static uint64_t character_of(const uint8_t *bytes, uint64_t count) {
    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
        return 0;
    const uint64_t length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    const unsigned least = bytes[0] == 0xe0 ? 0xa0 : bytes[0] == 0xf0 ? 0x90 : 0x80;
    const unsigned most = bytes[0] == 0xed ? 0x9f : bytes[0] == 0xf4 ? 0x8f : 0xbf;
    if (length > count || bytes[1] < least || bytes[1] > most)
        return 0;
    for (uint64_t i = 2; i < length; i++)
        if ((bytes[i] & 0xc0U) != 0x80)
            return 0;
    return length;
}

/* U+0000 to U+001F, U+007F to U+009F. */
static bool is_control(const uint8_t *character, uint64_t length) {
    return character[0] < ' ' || character[0] == 0x7f ||
           (length == 2 && character[0] == 0xc2 && character[1] < 0xa0);
}

bool rt_topology_is_name(const uint8_t *bytes, uint64_t count) {
    if (count == 0)
        return false;
    while (count > 0) {
        const uint64_t length = character_of(bytes, count);
        if (length == 0 || is_control(bytes, length))
            return false;
        bytes += length;
        count -= length;
    }
    return true;
}

bool rt_topology_read_text(rt_reader *in, char name[PACK_NAME_MAX]) {
    const uint64_t length = rt_read_varint(in);
    if (length >= PACK_NAME_MAX || !rt_read_bytes(in, length, (uint8_t *)name))
        return false;
    name[length] = 0;
    return rt_topology_is_name((const uint8_t *)name, length);
}

static const char *word_of(uint32_t code) {
    static const char *const words[PACK_OP_COUNT] = {
#define OP_WORD(name, word) word,
        PACK_OP_MAP(OP_WORD)
#undef OP_WORD
    };
    return code == PACK_ITEM_PARAMETER ? "parameter" : words[code];
}

void rt_topology_usual_name(uint32_t code, uint32_t number, char name[PACK_NAME_MAX]) {
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    const char *word = word_of(code);
    size_t at = strlen(word);
    memcpy(name, word, at);
    while (count > 0)
        name[at++] = digits[--count];
    name[at] = 0;
}

/* The first of the sorted names that is not before it: found by halves, for there may be many. */
static uint32_t place_of_name(const rt_topology *t, const char *name) {
    uint32_t low = 0;
    uint32_t high = t->named;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (strcmp(t->names[t->sorted[middle]], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool rt_topology_name_is_taken(const rt_topology *t, const char *name) {
    const uint32_t place = place_of_name(t, name);
    return place < t->named && strcmp(t->names[t->sorted[place]], name) == 0;
}

void rt_topology_put_name(rt_topology *t, const char *name) {
    uint32_t *place = t->sorted + place_of_name(t, name);
    const size_t behind = (size_t)(t->sorted + t->named++ - place);
    memmove(place + 1, place, behind * sizeof *place);
    *place = t->values;
    memcpy(t->names[t->values], name, PACK_NAME_MAX);
}

rt_window rt_topology_window(uint32_t kernel, uint32_t stride, uint32_t pad) {
    const rt_window w = {{kernel, kernel}, {stride, stride}, {pad, pad}, {pad, pad}, {1, 1}};
    return w;
}

admmnn_runtime_status rt_topology_start(rt_topology *t, uint32_t items, const rt_shape *input) {
    rt_network *network = t->opening->network;
    if (t->in->failed || items == 0 || items > PACK_NODES_MAX || input->rank == 0 ||
        !rt_shape_is_sound(input))
        return rt_topology_corrupt(t, "the network's description makes no sense");
    if (items > t->in->count - t->in->at) /* each takes at least a byte */
        return rt_topology_corrupt(t, "the network's description ends early");
    t->capacity = items + 1;
    t->names = rt_scratch(t->opening->memory, t->capacity, sizeof *t->names);
    t->sorted = rt_scratch(t->opening->memory, t->capacity, sizeof *t->sorted);
    network->values = rt_take(t->opening->memory, t->capacity, sizeof *network->values);
    if (t->names == NULL || t->sorted == NULL || network->values == NULL)
        return rt_topology_memory(t);
    network->values[0].shape = *input;
    t->values = 1;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_topology_read(rt_opening *opening, rt_reader *in, unsigned version) {
    rt_topology t = {opening, in, NULL, NULL, 0, &opening->network->tensors, 0, 0, 0};
    const size_t mark = rt_scratch_mark(opening->memory);
    RT_TRY(version == PACK_VERSION_CHAIN ? rt_topology_chain(&t) : rt_topology_any(&t));
    opening->network->value_count = t.values;
    rt_scratch_release(opening->memory, mark);
    return ADMMNN_RUNTIME_OK;
}
