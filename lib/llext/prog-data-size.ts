/**
 * prog_data_size of the oldest struct llext_loader (specification 2.2): from the first to the end of the last section in
 * the file that is SHT_PROGBITS and not code, whatever its flags. A file without any has the 1 that Zephyr's unsigned
 * arithmetic gives.
 */
import { SHF_EXECINSTR, SHT_PROGBITS } from '../elf/constants';
import * as X from './context';
import type { LoadContext } from './context';

export function noteProgDataSize(context: LoadContext): number {
  const { guest, ldr, profile } = context;
  if (!profile.progDataSize) return 0;
  let low = guest.wrap(-1n);
  let high = { sh_offset: 0n, sh_size: 0n };
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    const { sh_type, sh_flags, sh_offset, sh_size } = X.sectionHeader(context, i);
    if (sh_type !== SHT_PROGBITS || (sh_flags & BigInt(SHF_EXECINSTR)) !== 0n) continue;
    if (sh_offset > high.sh_offset) high = { sh_offset, sh_size };
    if (sh_offset < low) low = sh_offset;
  }
  ldr.state.prog_data_size = guest.wrap(high.sh_size + high.sh_offset - low);
  return 0;
}
