# cmake -DNAME=... -DOUT=... -DFILES="...|..." -P EmbedText.cmake: the files' text, one after
# another, as a C string of that name. A literal may not be so long, an array may.
string(REPLACE "|" ";" FILES "${FILES}")
set(hex)
foreach(file IN LISTS FILES)
  file(READ ${file} bytes HEX)
  string(APPEND hex ${bytes})
endforeach()
string(REGEX REPLACE "(..)" "0x\\1," numbers "${hex}")
string(REGEX REPLACE "(0x0a,)" "\\1\n" numbers "${numbers}")
file(WRITE ${OUT} "#include \"export/parts.h\"\n\nconst char ${NAME}[] = {\n${numbers}0};\n")
