#!/bin/sh
# Makes DejaVuSans-subset.ttf from DejaVu Sans 2.37 (https://dejavu-fonts.github.io) with fonttools (pip install fonttools):
#   sh subset.sh path/to/DejaVuSans.ttf
# Latin, Greek, superscripts and subscripts, dashes and quotes, arrows, mathematical operators, some shapes.
# No hinting and no layout tables besides the old kerning table: outlines are filled as they are.
exec pyftsubset "$1" --output-file=DejaVuSans-subset.ttf --no-hinting --desubroutinize --notdef-outline --legacy-kern \
  --drop-tables+=GSUB,GPOS,GDEF,FFTM --layout-features='' --no-recalc-timestamp \
  --unicodes='U+20-7E,U+A0-17F,U+192,U+1E9E,U+2C6,U+2C7,U+2D8-2DD,U+300-304,U+306-308,U+30A-30C,U+327,U+328,U+370-3FF,U+1D62-1D6A,U+2010-2027,U+2030-203A,U+2044,U+2070-209C,U+20AC,U+2102,U+210E,U+210F,U+2113,U+2115,U+211D,U+2124,U+2190-21FF,U+2200-22FF,U+2308-230B,U+239B-23B0,U+25A0,U+25A1,U+25B2,U+25BC,U+25C6,U+25CB,U+25CF,U+2605,U+2713,U+2717,U+27E8,U+27E9,U+2A2F,U+FFFD'
