# SPDX-License-Identifier: LGPL-2.1-or-later
# Puts the page together and writes it as C: what comes before the data (page_before), and what comes after it.
# Everything is handled in hexadecimal, in which no character means anything to CMake.
# Usage: cmake -DPARTS=FOLDER -DUPLOT=FOLDER -DOUT=FILE.c -P embed.cmake    (UPLOT may be empty)

# In the order in which the script needs them.
set(SCRIPTS data.js words.js run.js axes.js paint.js stage.js map.js map_marks.js map_input.js lanes.js curves.js trace.js why.js
  scenario.js view.js summary.js coverage.js app.js)

function(hex_of text out)
  file(WRITE ${OUT}.text "${text}")
  file(READ ${OUT}.text hex HEX)
  file(REMOVE ${OUT}.text)
  set(${out} ${hex} PARENT_SCOPE)
endfunction()

set(style "")
set(script "")
if(UPLOT)
  # The licence goes where the code goes.
  hex_of("/*\n" begin)
  hex_of("\n*/\n" end)
  file(READ ${UPLOT}/LICENSE licence HEX)
  file(READ ${UPLOT}/dist/uPlot.min.css style HEX)
  file(READ ${UPLOT}/dist/uPlot.iife.min.js code HEX)
  set(script "${begin}${licence}${end}${code}")
endif()
file(READ ${PARTS}/page.css css HEX)
string(APPEND style ${css})
foreach(name ${SCRIPTS})
  file(READ ${PARTS}/${name} code HEX)
  string(APPEND script ${code})
endforeach()

file(READ ${PARTS}/page.html page HEX)
foreach(part style script)
  hex_of("@${part}@" marker)
  string(REPLACE ${marker} "${${part}}" page ${page})
endforeach()
hex_of("@data@" marker)
string(FIND ${page} ${marker} at)
string(LENGTH ${marker} length)
math(EXPR rest "${at} + ${length}")
string(SUBSTRING ${page} 0 ${at} before)
string(SUBSTRING ${page} ${rest} -1 after)

set(c "/* Made by embed.cmake. */\n#include \"tools/page/page.h\"\n")
foreach(part before after)
  string(REGEX REPLACE "(..)" "0x\\1," bytes ${${part}})
  string(APPEND c "const unsigned char page_${part}[] = {${bytes}};\n"
    "const unsigned long page_${part}_bytes = sizeof(page_${part});\n")
endforeach()
file(WRITE ${OUT} "${c}")
