"""Builds values.c in several ways and records what gdb shows for each expression: [expression, type, text].
<variant>.elf and <variant>.json: little-endian with DWARF 5, big-endian, and DWARF 2 (the older bit-field attributes).

Run as: python3 record.py    (needs arm-none-eabi-gcc and gdb-multiarch; with --check nothing is built or written)
"""
import json, os, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
expressions = [line.rstrip('\n') for line in open(os.path.join(here, 'expressions.txt')) if line.strip()]

GDB = r'''
import gdb, json
for setting in ['width 0', 'height 0', 'print repeats unlimited', 'print elements 100', 'print symbol on']:
    gdb.execute('set ' + setting)
rows = []
for e in json.loads(%r):
    try:
        value = gdb.parse_and_eval(e)
        rows.append([e, str(value.type), value.format_string(max_elements=100, repeat_threshold=0, symbols=True)])
    except gdb.error as error:
        rows.append([e, None, str(error)])
print('ROWS' + json.dumps(rows))
'''

VARIANTS = {'values': [], 'big-endian': ['-mbig-endian'], 'dwarf2': ['-gdwarf-2', '-gstrict-dwarf']}

def record(variant, options, check):
    elf = os.path.join(here, variant + '.elf')
    if not check:
        subprocess.run(['arm-none-eabi-gcc', '-g', '-mcpu=cortex-m3', '-mthumb', '-O0', '-nostdlib', '-w',
                        '-Wl,-Ttext=0x8000', '-Wl,-Tdata=0x20000000', '-fno-zero-initialized-in-bss',
                        '-ffile-prefix-map=%s=.' % here] + options + ['values.c', '-o', elf], cwd=here, check=True)
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, 'record.py')
        with open(script, 'w') as file:
            file.write(GDB % json.dumps(expressions))
        out = subprocess.run(['gdb-multiarch', '-nx', '-q', '-batch', elf, '-x', script], capture_output=True, text=True).stdout
    rows = json.loads(next(line[4:] for line in out.splitlines() if line.startswith('ROWS')))
    text = '[\n' + ',\n'.join(json.dumps(row, ensure_ascii=False) for row in rows) + '\n]\n'
    target = os.path.join(here, variant + '.json')
    if check and open(target).read() != text:
        sys.exit('%s.json is not what gdb says now' % variant)
    if not check:
        open(target, 'w').write(text)

# Loadable extensions: variable-length arrays at two levels and from two compilers.
LENGTHS = {
    'lengths.m3-O0': ['arm-none-eabi-gcc', '-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-O0'],
    'lengths.m3-Og': ['arm-none-eabi-gcc', '-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-Og'],
    'lengths.m3clang-O0': ['clang-14', '--target=arm-none-eabi', '-mcpu=cortex-m3', '-mthumb', '-mlong-calls', '-O0'],
}
if '--check' not in sys.argv:
    for name, command in LENGTHS.items():
        subprocess.run(command + ['-g', '-ffreestanding', '-fno-common', '-ffile-prefix-map=%s=.' % here, '-fdebug-compilation-dir=.' if
                       'clang' in command[0] else '-g', '-c', 'lengths.c', '-o', name + '.o'], cwd=here, check=True)
        # clang keeps section names in .strtab, which the loader does not know: ld writes a .shstrtab.
        subprocess.run(['arm-none-eabi-ld', '-r', name + '.o', '-o', name + '.elf'], cwd=here, check=True)
        os.unlink(os.path.join(here, name + '.o'))
        # Exception tables are in no region of llext.
        subprocess.run(['arm-none-eabi-objcopy', '-R', '.ARM.exidx', '-R', '.rel.ARM.exidx', name + '.elf'], cwd=here, check=True)

for variant, options in VARIANTS.items():
    record(variant, options, '--check' in sys.argv)
