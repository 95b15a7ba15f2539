/* Prints the class of each image, and how many instructions an inference took. With PROGRAM_INT8
 * it is the function of 8 bits that tells it. */
#include "program.h"

#include "net.h"

static void print_number(uint32_t number) {
    char text[12];
    char *at = &text[sizeof text - 1];
    *at = 0;
    do {
        *--at = (char)('0' + number % 10U);
        number /= 10U;
    } while (number != 0U);
    program_print(at);
}

#ifdef PROGRAM_INT8
typedef int8_t number;

static number input_of(uint8_t pixel) {
    return (number)((float)pixel / 255.0F / NET_INPUT_SCALE + 0.5F);
}

static int predict(const number *inputs, number *outputs) {
    return net_predict_int8(inputs, outputs);
}
#else
typedef float number;

static number input_of(uint8_t pixel) {
    return (number)pixel / 255.0F;
}

static int predict(const number *inputs, number *outputs) {
    return net_predict(inputs, outputs);
}
#endif

static uint32_t largest(const number *outputs) {
    uint32_t most = 0;
    for (uint32_t i = 1; i < NET_OUTPUTS; i++)
        if (outputs[i] > outputs[most])
            most = i;
    return most;
}

int program_main(void) {
    static uint8_t pixels[NET_INPUTS];
    static number inputs[NET_INPUTS];
    static number outputs[NET_OUTPUTS];
    const uint32_t file = program_open();
    uint32_t instructions = 0;
    while (program_read(file, pixels, NET_INPUTS)) {
        for (uint32_t i = 0; i < NET_INPUTS; i++)
            inputs[i] = input_of(pixels[i]);
        const uint32_t before = program_instructions();
        if (predict(inputs, outputs) != 0)
            return 1;
        instructions = program_instructions() - before;
        print_number(largest(outputs));
        program_print("\n");
    }
    program_print("instructions ");
    print_number(instructions);
    program_print("\n");
    return 0;
}
