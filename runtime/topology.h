/* The network's description in the file (pack/format.h), read and checked. */
#ifndef RT_TOPOLOGY_H
#define RT_TOPOLOGY_H

#include "network.h"
#include "reader.h"

/* What reading needs beside the network. */
typedef struct rt_topology {
    rt_opening *opening;
    rt_reader *in;
    char (*names)[PACK_NAME_MAX]; /* [values] of the nodes; "" of others */
    uint32_t *sorted;             /* [named] the nodes' values, by their names */
    uint32_t named;
    rt_tensor **next_tensor; /* where the next one is linked */
    uint64_t flat;           /* parameters so far, as the format counts them */
    uint32_t values, capacity;
} rt_topology;

/* An operation as it is read, before it is one of the network's. */
typedef struct rt_item {
    uint32_t code; /* PACK_OP_, or PACK_ITEM_CONSTANT, PACK_ITEM_PARAMETER */
    char name[PACK_NAME_MAX];
    bool biased;      /* a layer */
    uint32_t outputs; /* of a layer */
    rt_shape shape;   /* of a reshape's output, a constant, a parameter */
    rt_node node;     /* its operands and what the operation needs to know */
} rt_item;

/* Reads the rest of the head, from the network's input to its last byte. CORRUPT, MEMORY. */
admmnn_runtime_status rt_topology_read(rt_opening *opening, rt_reader *in, unsigned version);

/* ---- between the files of the module ---- */

admmnn_runtime_status rt_topology_corrupt(const rt_topology *t, const char *reason);
admmnn_runtime_status rt_topology_memory(const rt_topology *t);
/* The items to come, and the input. */
admmnn_runtime_status rt_topology_start(rt_topology *t, uint32_t items, const rt_shape *input);
admmnn_runtime_status rt_topology_chain(rt_topology *t);
admmnn_runtime_status rt_topology_any(rt_topology *t);

/* A text's bytes: not empty, UTF-8 without control characters. */
bool rt_topology_is_name(const uint8_t *bytes, uint64_t count);
bool rt_topology_read_text(rt_reader *in, char name[PACK_NAME_MAX]);
/* "conv1" */
void rt_topology_usual_name(uint32_t code, uint32_t number, char name[PACK_NAME_MAX]);
bool rt_topology_name_is_taken(const rt_topology *t, const char *name);
/* Of the next value, and of no other yet. */
void rt_topology_put_name(rt_topology *t, const char *name);
rt_window rt_topology_window(uint32_t kernel, uint32_t stride, uint32_t pad);

/* topology_add.c: checks the operation and makes the network's next value of it. */
admmnn_runtime_status rt_topology_add(rt_topology *t, const rt_item *item);
admmnn_runtime_status rt_topology_add_constant(rt_topology *t, const rt_item *item);
admmnn_runtime_status rt_topology_add_parameter(rt_topology *t, const rt_item *item, uint8_t kind);

#endif
