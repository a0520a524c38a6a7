// Requests from mailctl to the daemons and the supervisor: records in spool/mailctl/events, which all of them follow.

import Configuration
import Kernel
import Spool
import SpoolFormat

/// mailctl's own log, open for as long as one command takes.
enum AdministratorLog {
    /// Appends requests and returns when they are durable, which is also when their readers wake.
    static func append(_ requests: [RecordLine], _ configuration: Configuration) throws(Failure) {
        let spool = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: configuration.paths.spool) }
        let writer = try open(spool)
        do throws(LogError) {
            try writer.log.begin()
            for request in requests { writer.append(request.adding(.uid, Identity.userID), at: .now()) }
            try writer.commit()
        } catch { throw failure(error, configuration) }
        giveBack(spool)
        dropOld(writer.log, spool, configuration)
    }

    /// Without space nothing can be asked; the services need no request to go on by themselves.
    private static func failure(_ error: LogError, _ configuration: Configuration) -> Failure {
        guard case .noSpace = error else { return Failure(error) }
        return Failure(
            .temporary, "the request cannot be written: \(error)",
            remedy: "it needs 16 KiB in \(configuration.paths.spool)/mailctl: free them and try again. What was accepted is safe, "
                + "deliveries go on; `mailctl stop` and `mailctl reload` without names need no space")
    }

    /// Makes the log's first segment, and with it the spare one: from then on a request can be written on a full disk.
    static func prepare(_ configuration: Configuration) throws(Failure) { try append([], configuration) }

    /// Nobody appends to this segment again. On a full disk it was the spare one, and the space allocated beyond its end is
    /// what the next request needs.
    private static func giveBack(_ spool: borrowing DirectoryDescriptor) {
        guard let folder = try? spool.openDirectory("mailctl/events"),
            let newest = try? folder.list().compactMap({ SegmentName.number($0.name) }).max(),
            let segment = try? folder.open(Path(SegmentName.name(newest)), .readWrite), let size = try? segment.status().size
        else { return }
        try? segment.truncate(to: size)
    }

    /// Another mailctl may be writing: its command is short, so wait for it.
    private static func open(_ spool: borrowing DirectoryDescriptor) throws(Failure) -> EventWriter {
        for _ in 0..<100 {
            do throws(LogError) {
                return try EventWriter(spool: spool, .mailctl, echoes: false)
            } catch {
                guard case .locked = error else { throw Failure(error) }
                pause(milliseconds: 50)
            }
        }
        throw Failure(.temporary, "another mailctl is at work", remedy: "wait until it is done and try again")
    }

    /// Each command makes a segment; those past retention go, and failing to remove them harms nobody.
    private static func dropOld(_ log: LogWriter, _ spool: borrowing DirectoryDescriptor, _ configuration: Configuration) {
        let oldest = WallTime.now().nanoseconds - Int64(configuration.retention.events.wholeMilliseconds) * 1_000_000
        guard let folder = try? spool.openDirectory("mailctl/events"), let segments = try? log.segments() else { return }
        for number in segments {
            guard let status = try? folder.status(of: Path(SegmentName.name(number))), status.modified < oldest else { return }
            try? log.dropSegment(number)
        }
    }

    /// Asks the supervisor for something; no services means all.
    static func supervisorRequest(_ wish: SupervisorPlan.Wish, _ services: [Service]) -> [RecordLine] {
        let targets = services.isEmpty ? ["supervisor"] : services.map(\.rawValue)
        return targets.map { RecordLine(.request).adding(.command, wish.rawValue).adding(.service, $0) }
    }
}

/// The supervisor's end: requests that came after it started.
final class SupervisorRequests {
    private let follower: LogFollower

    enum Request { case all(SupervisorPlan.Wish), one(SupervisorPlan.Wish, Service) }

    /// Begins behind what is there: a request is for the supervisor that runs, not for a later one.
    init(spool: borrowing DirectoryDescriptor) throws(KernelError) {
        follower = try LogFollower(spool: spool, LogName(.mailctl, .events), from: .start, owner: Identity.userID)
        while try !follower.poll().isEmpty {}
    }

    var folder: Path { follower.path }

    func poll() throws(KernelError) -> [Request] {
        try follower.poll().compactMap { placed in
            guard placed.record.verb == .request, let name = placed.record.text(.service),
                let wish = placed.record.text(.command).flatMap(SupervisorPlan.Wish.init(rawValue:))
            else { return nil }
            if name == "supervisor" { return .all(wish) }
            return Service(rawValue: name).map { .one(wish, $0) }
        }
    }
}
