"""Builds a program and records what gdb shows at its markers, the program running on QEMU:

    for v in m3-O0 m3-Og m3-O2 rv32-O0; do PROGRAM=classes VARIANT=$v gdb-multiarch -nx -batch -ex 'source record.py'; done
    for v in m3-O0 m3-O2 rv32-O0; do PROGRAM=operators VARIANT=$v gdb-multiarch -nx -batch -ex 'source record.py'; done
    for p in lambdas templates; do for v in m3-O0 m3clang-O0 rv32-O0; do PROGRAM=$p VARIANT=$v gdb-multiarch -nx -batch -ex 'source record.py'; done; done

from this folder; needs Debian's arm-none-eabi-g++, riscv64-unknown-elf-g++, clang++-14 and qemu-user. Of clang's lambdas gdb 13 does not
know the names: their values are those of m3-O0, and no record is kept.

Addresses and vtable pointers are written as {address}: they differ from loader to loader.
"""
import gdb
import json
import os
import re
import subprocess
import tempfile

VARIANTS = {
    'm3-O0': ('arm', 'cortex-m3', '-O0'),
    'm3clang-O0': ('arm', 'cortex-m3', '-O0'),
    'm3-Og': ('arm', 'cortex-m3', '-Og'),
    'm3-O2': ('arm', 'cortex-m3', '-O2'),
    'rv32-O0': ('riscv', 'rv32imac', '-O0'),
}
COMMON = ('-g -std=gnu++17 -ffreestanding -fno-exceptions -fno-rtti -fno-unwind-tables -fno-asynchronous-unwind-tables '
          '-fno-common -fno-pic -fno-threadsafe-statics -ffile-prefix-map=%s=. -Wall' % os.getcwd()).split()
EXPRESSIONS = {
    'SCALED': ['id_', 'this->id_', 'factor', 'base', 'count', 'Shape::count', 'motion::Shape::count', 'limit', '*this',
               'id_ + factor', 'sizeof(*this)', 'Axis::Y', '(int)Axis::Z', 'FAST', 'sizeof(Square)'],
    'AREA': ['side_', 'axis_', 'corner_', 'corner_.x', 'this->corner_.y', 'id_', 'result', '*this', 'side_ * id_'],
    'HIDDEN': ['value', 'local'],
    'DOUBLE': ['value', 'whole'],
    'PUSH': ['items_', 'next_', 'value', 'old', 'items_[0]', 'sizeof(items_)', '*this'],
    'LAMBDA': ['value', 'sum'],
    'LARGEST': ['a', 'b', 'a + b', 'result'],
    'END': ['square', 'reference', 'reference + 1', 'corner', 'corner.x', 'corner.*member', 'member', 'function', 'pair',
            'pair.second', 'ring', 'speed', 'origin', 'alias', '&alias', '&reference', '&corner.x', 'alias.y', 'total == n', '!total', "'x'", 'corner.x > 5 || n', 'text', 'motion::Shape::count', 'n', 'total',
            'sizeof(motion::Ring<short, 3>)', 'sizeof(Pair)', 'motion::convert', '&motion::Square::area', 'motion::FAST',
            'motion::Axis::X', '(motion::Axis)5', 'static_cast<short>(total)', '&origin', 'true', '*(Point *)&origin'],
}
EXPRESSIONS.update({
    'LAST': ['found', '*this', 'this', 'width', 'items[1]'],
    'OTHER': ['own', 'shared', 'two', 'one', '*this'],
    'EACH': ['sum', 'f'],
    'RUN': ['found', 'base', '*this'],
    'FINISH': ['method', 'no_method', 'plain', 'adjusted', 'wide', 'text', 'text[1]', 'line', '*line', '&wide', "u'x'", "sizeof(L'x')",
               'a', 'b', 'a + b', 'operator+(a, b)', '-a', 'a * 3', 'a == b', 'a < 200', 'b(2, 3)', 'b.operator()(2, 3)', 'a.operator-()',
               'row', 'row[1]', 'row[4].cents', '*box', '(*box).value', 'box->value', 'box', 'box.made', 'Box<short>::made',
               'Box<Box<short> >::made', 'Box<Box<short>>::made', 'sizeof(Box<Box<short>>)', 'row.last()', 'Node::root', 'both', 'nothing',
               '*second', '(Both *)second', '*(Both *)second', '(Second *)&both', '*static_cast<Second *>(&both)', '(Second &)both',
               '(Second *)(Both *)none', '*reinterpret_cast<First *>(second)', 'field', 'no_field', 'Node::root.*field', 'scale(4)',
               'Row<bank::Money, 3>::width', 'row.width', 'second->other()', 'a.cents > 5 && !none', 'both.shared', 'b.cents++ + 1'],
})
EXPRESSIONS.update({
    'INNER': ['count', 'wide', 'by', 'count + by', '&count == &wide', 'sizeof(count)', 'narrow + 1'],
    'ADD': ['count', 'twice', 'narrow', 'by', 'sum', 'twice + by', 'sizeof narrow', 'count / narrow'],
    'GO': ['speed', 'limit', 'step', 'more', 'now', '*this', 'this->speed', 'speed + step', 'this->limit * 2', 'Machine::made', 'made',
           'sizeof(*this)'],
    'COPY': ['step', 'x', 'step * 2'],
    'GENERIC': ['x', 'hidden', 'step'],
})
START = {
    'arm': '.syntax unified\n.thumb\n.global _start\n.thumb_func\n_start: mov r0, #6\nbl entry\nmov r7, #1\nsvc 0\n'
           '.global printk\n.thumb_func\nprintk: bx lr\n',
    'riscv': '.global _start\n_start: li a0, 6\ncall entry\nli a7, 93\necall\n.global printk\nprintk: ret\n',
}


def build(name, work):
    machine, cpu, level = VARIANTS[name]
    if machine == 'arm':
        gcc, flags = 'arm-none-eabi-g++', ['-mcpu=' + cpu, '-mthumb', '-mlong-calls']
        compiler = ['clang++-14', '--target=arm-none-eabi'] if 'clang' in name else [gcc]
    else:
        gcc, flags = 'riscv64-unknown-elf-g++', ['-march=' + cpu, '-mabi=ilp32', '-mno-relax', '-msmall-data-limit=0', '-mcmodel=medany']
        compiler = [gcc]
    run = lambda args: subprocess.run(args, check=True)
    elf = '%s.%s.elf' % (PROGRAM, name)
    run([*compiler, *flags, level, *COMMON, '-c', PROGRAM + '.cpp', '-o', work + '/a.o'])
    ld = gcc.replace('g++', 'ld')
    run([ld, '-r', *(['-m', 'elf32lriscv'] if machine == 'riscv' else []), '-T', '../../scripts/relocatable.ld', work + '/a.o', '-o', elf])
    with open(work + '/start.s', 'w') as out:
        out.write(START[machine])
    run([gcc, *flags, '-c', work + '/start.s', '-o', work + '/start.o'])
    run([gcc, *flags, '-nostdlib', '-nostartfiles', '-Wl,-Ttext=0x10000', work + '/start.o', work + '/a.o', '-lgcc', '-o', work + '/p.elf'])
    return machine, work + '/p.elf'


def plain(text):
    # Of a function pointer and a text the name and the characters are kept.
    return re.sub(r'0x[0-9a-f]+', '{address}', text.strip())


def evaluate(expression):
    try:
        value = gdb.parse_and_eval(expression)
        return [str(value.type), plain(value.format_string(symbols=True, max_elements=100, repeat_threshold=0, deref_refs=True))]
    except gdb.error as error:
        return [None, str(error)]


def variables(frame):
    found = []
    block = frame.block()
    while block:
        for symbol in block:
            if (symbol.is_variable or symbol.is_argument) and symbol.addr_class != gdb.SYMBOL_LOC_STATIC:
                value = symbol.value(frame)
                if value.is_optimized_out:
                    text = '<optimized out>'
                else:
                    text = plain(value.format_string(deref_refs=True))
                found.append([symbol.print_name, str(symbol.type), text])
        if block.function:
            break
        block = block.superblock
    return found


def record(name):
    with tempfile.TemporaryDirectory() as work:
        machine, program = build(name, work)
        port = 5200 + os.getpid() % 500
        emulator = ['qemu-arm', '-cpu', 'cortex-a15'] if machine == 'arm' else ['qemu-riscv32']
        server = subprocess.Popen([*emulator, '-g', str(port), program])
        try:
            gdb.execute('file ' + program)
            gdb.execute('target remote :%d' % port)
            lines = {m: n for n, line in enumerate(open(PROGRAM + '.cpp'), 1) for m in re.findall(r'// #(\w+)', line)}
            stops = []
            for marker, line in lines.items():
                gdb.execute('break %s.cpp:%d' % (PROGRAM, line))
            while True:
                gdb.execute('continue')
                try:
                    frame = gdb.newest_frame()
                except gdb.error:
                    break
                stack = []
                outer = frame
                while outer and (outer.name() or '') != '_start' and len(stack) < 10:
                    if outer.name():
                        stack.append([outer.name(), outer.find_sal().line, 'inline' if outer.type() == gdb.INLINE_FRAME else ''])
                    outer = outer.older()
                line = frame.find_sal().line
                marker = next((m for m, n in lines.items() if n == line), None)
                # Of optimized code gdb 13 dies while it reads some of the variables: stops and frames only.
                if name.endswith('-O2'):
                    stops.append({'line': line, 'stack': stack, 'locals': [], 'values': []})
                    continue
                stop = {'line': line, 'stack': stack, 'locals': variables(frame)}
                # A function that is called must not stop at the markers.
                gdb.execute('disable')
                stop['values'] = [[e, *evaluate(e)] for e in EXPRESSIONS.get(marker, [])]
                gdb.execute('enable')
                stops.append(stop)
        finally:
            server.kill()
            try:
                gdb.execute('kill')
            except gdb.error:
                pass
            gdb.execute('delete')
        return stops


gdb.execute('set confirm off')
gdb.execute('set pagination off')
PROGRAM, VARIANT = os.environ['PROGRAM'], os.environ['VARIANT']
# Of templates.cpp and of clang's lambdas gdb 13 cannot tell: the compiler is the judge there.
IS_RECORDED = VARIANT != 'm3clang-O0' and PROGRAM != 'templates'
if IS_RECORDED:
    stops = record(VARIANT)
else:
    with tempfile.TemporaryDirectory() as work:
        build(VARIANT, work)
if IS_RECORDED:
    with open('%s.%s.json' % (PROGRAM, VARIANT), 'w') as out:
        json.dump(stops, out, separators=(',', ':'))
        out.write('\n')
