// The supervisor's own facts, in spool/supervisor/events: who runs, who ended and why. `mailctl status` reads them.

import Configuration
import Kernel
import Spool
import SpoolFormat

/// Writes the supervisor's facts; one supervisor a spool, because the log has one writer.
final class SupervisorLog {
    private let events: EventWriter

    /// `running` is said anew at the head of each segment, so that a reader needs only the newest.
    init(spool: borrowing DirectoryDescriptor, running: @escaping () -> [RecordLine]) throws(LogError) {
        // On a full disk it is still told who runs: `mailctl stop` and `start` wait for that.
        events = try EventWriter(spool: spool, .supervisor, reserve: 1 << 18)
        events.log.preamble = running
        try events.log.begin()
    }

    /// The same, with the sentence for one who comes second.
    static func begin(_ spool: borrowing DirectoryDescriptor, running: @escaping () -> [RecordLine]) throws(Failure) -> SupervisorLog {
        do throws(LogError) { return try SupervisorLog(spool: spool, running: running) } catch {
            if case .locked = error {
                throw Failure(.temporary, "a supervisor runs on this spool already", remedy: "`mailctl status` shows it, `mailctl stop` ends it")
            }
            throw Failure(error)
        }
    }

    static func spawned(_ service: Service, pid: Int32, uid: UInt32, restarts: Int) -> RecordLine {
        RecordLine(.spawn).adding(.service, service.rawValue).adding(.pid, pid).adding(.uid, uid).adding(.restarts, restarts)
    }

    func note(_ line: RecordLine, at time: WallTime = .now()) { events.append(line, at: time) }

    /// Writes down what was found before the services start; durable when it returns.
    func say(_ facts: [RecordLine]) throws(Failure) {
        for fact in facts { note(fact) }
        do throws(LogError) { try sync() } catch { throw Failure(error) }
    }

    func sync() throws(LogError) { try events.commit() }

    /// A failure is told and survived: the services matter more than the account of them.
    func commit() {
        guard events.log.hasPending else { return }
        do throws(LogError) { try sync() } catch { Output.note("the supervisor's facts were not written: \(error)") }
    }
}
