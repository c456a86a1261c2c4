/**
 * Frames that a tail call has replaced: found again from DW_TAG_call_site (3.4) when there is only one way from the
 * caller's call to the function that runs. Between several ways, what they have in common at their beginning and at
 * their end is shown. One indirect or unresolved call on the search's way makes the result uncertain: nothing is shown.
 * The result matches what gdb reconstructs, including its order of search.
 */
import type { CallSite, FunctionInfo } from './model';

/** Finds functions by call target. Link addresses of one module. */
export interface CallGraph {
  functionNamed(name: string): FunctionInfo | undefined;
}

/** What a call site calls; undefined when it can't be told from the debug information alone. */
export function callTarget(site: CallSite, graph: CallGraph): FunctionInfo | undefined {
  return typeof site.target === 'string' ? graph.functionNamed(site.target) : site.target;
}

function sameFunction(a: FunctionInfo, b: FunctionInfo): boolean {
  return a === b || a.entryPc === b.entryPc;
}

/** Tail calls of a function that have an address. */
function tailCalls(of: FunctionInfo): readonly CallSite[] {
  return of.callSites.filter((site) => site.tailCall && site.returnPc !== undefined);
}

/** The part of all ways that is common: `callers` sites from the start of `sites`, `callees` from its end. */
interface CommonChain {
  readonly sites: readonly CallSite[];
  callers: number;
  callees: number;
}

class Ambiguous extends Error {}

/** Nested chains beyond this are not searched: call graphs of generated code could take for ever. */
const visitLimit = 10_000;

/**
 * The tail calls between `call` (in the caller that the stack has) and `callee` (the function that runs), from the
 * innermost outwards; empty when `call` calls `callee` directly, or when it is not certain.
 */
export function tailCallChain(call: CallSite, callee: FunctionInfo, graph: CallGraph): readonly CallSite[] {
  try {
    const common = searchChains(call, callee, graph);
    if (!common) return [];
    const { sites, callers, callees } = common;
    const inner = sites.slice(sites.length - callees).reverse();
    // A chain that is certain as a whole is counted from both ends.
    const outer = callees === sites.length ? [] : sites.slice(0, callers).reverse();
    return [...inner, ...outer];
  } catch (error) {
    if (error instanceof Ambiguous) return [];
    throw error;
  }
}

function searchChains(call: CallSite, callee: FunctionInfo, graph: CallGraph): CommonChain | undefined {
  let common: CommonChain | undefined;
  const chain: { readonly site: CallSite; readonly siblings: readonly CallSite[]; readonly index: number }[] = [];
  const inChain = new Set<CallSite>();
  let site: CallSite | undefined = call;
  for (let visits = 0; site; visits++) {
    if (visits > visitLimit) throw new Ambiguous();
    const target = callTarget(site, graph);
    if (!target) throw new Ambiguous();
    let siblings: readonly CallSite[] = [];
    if (sameFunction(target, callee)) {
      common = intersect(
        common,
        chain.map((entry) => entry.site),
      );
      if (!common) return undefined;
    } else siblings = tailCalls(target);
    let index = 0;
    for (;;) {
      const next = siblings[index] as CallSite | undefined;
      if (next && !inChain.has(next)) {
        inChain.add(next);
        chain.push({ site: next, siblings, index });
        break;
      }
      // This way ends: go on with the nearest untried tail call of a function on it.
      const last = chain.pop();
      if (!last) break;
      inChain.delete(last.site);
      siblings = last.siblings;
      index = last.index + 1;
    }
    site = chain.at(-1)?.site;
  }
  if (!common) throw new Ambiguous();
  return common;
}

/** undefined: two ways have nothing in common. */
function intersect(common: CommonChain | undefined, sites: readonly CallSite[]): CommonChain | undefined {
  if (!common) return { sites, callers: sites.length, callees: sites.length };
  let callers = 0;
  while (callers < Math.min(common.callers, sites.length) && common.sites[callers] === sites[callers]) callers++;
  let callees = 0;
  while (
    callees < Math.min(common.callees, sites.length) &&
    common.sites[common.sites.length - 1 - callees] === sites[sites.length - 1 - callees]
  ) {
    callees++;
  }
  if (callers === 0 && callees === 0) return undefined;
  return { sites: common.sites, callers, callees };
}

/**
 * Whether a function can be entered again by tail calls from itself: then what its caller passed is not what this
 * activation was given. An unresolved tail call counts as one.
 */
export function canTailCallItself(start: FunctionInfo, graph: CallGraph): boolean {
  const seen = new Set<bigint>();
  const pending = [start];
  for (let current = pending.pop(); current; current = pending.pop()) {
    for (const site of tailCalls(current)) {
      const target = callTarget(site, graph);
      if (!target || sameFunction(target, start)) return true;
      if (!seen.has(target.entryPc)) {
        seen.add(target.entryPc);
        pending.push(target);
      }
    }
  }
  return false;
}
