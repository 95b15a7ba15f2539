#include <stdio.h>

int main(void) {
    puts("admmnn");
    return 0;
}
