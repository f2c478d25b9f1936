import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Account } from './_account.ts'
import { spawnFailure } from './_failure.ts'

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A program that does not outlive us, however we end. */
export interface GuardedProcess {
  readonly pid: number
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<Exit>
  readonly running: boolean
  /** What it printed, once it has ended; '' when a descriptor received it. */
  readonly output: Promise<string>
  kill(signal: NodeJS.Signals): void
  /** From now on it does not keep Node alive: whoever forgets to stop it must still be able to end. */
  unref(): void
}

export interface GuardedCommand {
  program: string
  args: readonly string[]
  account: Account | undefined
  cwd: string
  /** Receives standard output and error. Without it they are collected in `output`. */
  outputFd?: number
}

/**
 * The guardian, in the language of /bin/sh so that it costs a megabyte and needs nothing of ours. It holds the other end
 * of descriptor 3; only our death (or ours saying `done`) ends the read. Then it asks the program to stop, firmly, and at
 * last kills it. A process id alone could name a stranger by then: the time it was started, field 22 of proc(5) stat,
 * must still be the same; without /proc, ps tells it to the second.
 *
 * `run` turns into the program and so keeps our process id, with the guardian as a grandchild that is nobody's child:
 * Postgres would take the end of a child it does not know for a crash. `watch` guards a process that runs already.
 */
const script = `
mode=$1; pid=$2; shift 2
[ "$mode" = run ] && pid=$$
look() {
  if [ -d /proc/self ]; then
    born=; state=
    read -r line <"/proc/$pid/stat" || return 0
    set -- \${line##*) }
    state=$1; born=\${20}
  else
    state=R; born=$(ps -o lstart= -p "$pid")
  fi
}
alive() { look 2>/dev/null; [ -n "$born" ] && [ "$born" = "$first" ] && [ "$state" != Z ]; }
stop() {
  kill -"$1" "$pid" 2>/dev/null
  n=0
  while [ $n -lt "$2" ]; do alive || exit 0; sleep 0.1; n=$((n+1)); done
}
guard() {
  trap '' HUP INT QUIT TERM
  while read -r word; do [ "$word" = done ] && exit 0; done
  alive || exit 0
  stop INT 100; stop QUIT 50; stop KILL 20
}
look 2>/dev/null; first=$born
if [ "$mode" = run ]; then
  ( guard <&3 3<&- >/dev/null 2>&1 & )
  exec "$@" 3<&-
fi
guard <&3 >/dev/null 2>&1
`

const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** A guardian that ends sooner is not replaced at once, lest one that cannot run is started without end. */
const guardAgainAfterMs = 100

/** Starts a program under a guardian. Throws POSTGRES_START_FAILED when it cannot be executed at all. */
export async function startGuarded(command: GuardedCommand): Promise<GuardedProcess> {
  const child = shell(command, ['run', '0', command.program, ...command.args], command.outputFd ?? 'pipe')
  const output = collect(child)
  await started(child, command.program)
  const pid = child.pid ?? 0
  let running = true
  const guard = keepGuarded(child, command, () => running)
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false
      // Told before the process id can be used again.
      guard.dismiss()
      resolve({ code, signal })
    })
  })
  return {
    pid,
    exited,
    output,
    get running() {
      return running
    },
    kill(signal) {
      if (running) child.kill(signal)
    },
    unref: () => child.unref(),
  }
}

/** Replaces the guardian whenever it ends before the program. */
function keepGuarded(child: ChildProcess, command: GuardedCommand, running: () => boolean): { dismiss(): void } {
  let lifeline: Socket | undefined
  const follow = (guardian: ChildProcess): void => {
    const since = Date.now()
    const again = (): void => {
      if (Date.now() - since > guardAgainAfterMs) replace()
      else setTimeout(replace, guardAgainAfterMs).unref()
    }
    lifeline = lifelineOf(guardian)
    if (lifeline === undefined) again()
    else lifeline.once('close', again)
  }
  const replace = (): void => {
    if (!running()) return
    const guardian = shell(command, ['watch', String(child.pid)], 'ignore')
    guardian.on('error', () => {}) // it could not be started: its lifeline is closed or missing
    guardian.unref()
    follow(guardian)
  }
  follow(child)
  return { dismiss: () => void lifeline?.end('done\n') }
}

function shell(command: GuardedCommand, args: readonly string[], output: number | 'pipe' | 'ignore'): ChildProcess {
  const { account, cwd } = command
  return spawn('/bin/sh', ['-c', script, 'millrace-guardian', ...args], {
    cwd,
    env: environment,
    // A session of its own: Ctrl-C in our terminal is for us, who then stop it in order.
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  })
}

async function collect(child: ChildProcess): Promise<string> {
  let text = ''
  const streams = [child.stdout, child.stderr].filter((stream) => stream instanceof Readable)
  for (const stream of streams) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('error', () => {}) // it closes then, and the exit code tells the rest
  }
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('close', resolve))))
  return text
}

async function started(child: ChildProcess, program: string): Promise<void> {
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw spawnFailure(program, error)
  }
}

/** `undefined` when there were too many open files to start it. */
function lifelineOf(child: ChildProcess): Socket | undefined {
  const lifeline = child.stdio?.[3] as Socket | undefined
  lifeline?.on('error', () => {}) // a broken lifeline closes, which is handled
  lifeline?.resume()
  lifeline?.unref()
  return lifeline
}
