// The clock: certificates, retries and retention all believe it.

import Configuration
import Kernel

enum ClockCheck {
    static func all(_ patient: Patient) -> [Finding] {
        judge(now: patient.now, newest: newest(patient), isSynchronised: Machine.clockIsSynchronised)
    }

    /// When something in the spool's logs was written last.
    private static func newest(_ patient: Patient) -> WallTime? {
        var newest: Int64?
        for folder in SpoolTree.folders where folder.path.hasSuffix("/events") {
            guard let opened = try? DirectoryDescriptor(opening: patient.configuration.paths.spool / Path(folder.path)), let entries = try? opened.list()
            else { continue }
            for entry in entries where entry.kind == .file {
                if let time = try? opened.status(of: Path(entry.name)).modified { newest = max(newest ?? time, time) }
            }
        }
        return newest.map { WallTime(nanoseconds: $0) }
    }

    /// The first moment at which this version can run.
    private static let earliest = WallTime(seconds: 1_735_689_600)  // 2025
    private static let latest = WallTime(seconds: 4_102_444_800)  // 2100

    static func judge(now: WallTime, newest: WallTime?, isSynchronised: Bool?) -> [Finding] {
        let remedy = "timedatectl set-ntp true, or chronyd or ntpd"
        if now < earliest || latest < now {
            return [.problem("clock", "is years off: \(now.seconds) seconds since 1970", remedy: remedy)]
        }
        if let newest, newest.seconds - now.seconds > 3600 {
            return [.problem("clock", "stands \(StatusCommand.span(newest.seconds - now.seconds)) before the newest log", remedy: remedy)]
        }
        switch isSynchronised {
        case true?: return [.ok("clock", "follows a reference")]
        case false?: return [.warning("clock", "follows no reference that the kernel knows of", remedy: remedy)]
        case nil: return [.unknown("clock", "the kernel does not say whether it follows a reference")]
        }
    }
}
