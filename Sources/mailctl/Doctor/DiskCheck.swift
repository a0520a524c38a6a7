// Room, inodes, the kind of filesystem, and what inotify may watch.

import Configuration
import Kernel
import MailModel

enum DiskCheck {
    static func all(_ patient: Patient) -> [Finding] {
        let paths = patient.configuration.paths
        var findings: [Finding] = []
        var seen: Set<UInt64> = []
        for (name, path) in [("spool", paths.spool), ("store", paths.store), ("directory", paths.directory), ("cache", paths.cache)] {
            guard let device = try? DirectoryDescriptor(passing: path).status().device, let system = try? FileSystem(at: path) else {
                findings.append(.problem("disk", of: "\(path)", "cannot be examined", remedy: "check paths.\(name) in \(patient.options.configurationPath)"))
                continue
            }
            if name == "spool" || name == "store" { findings += kind(system.type, "\(path)") }
            if seen.insert(device).inserted { findings += room(system, "\(path)") }
        }
        findings += stage(paths)
        if findings.isEmpty { findings = [.ok("disk", "room, inodes and filesystems are as they should be")] }
        return findings + inotify()
    }

    /// queued takes nothing new below 32 MiB.
    private static let least: Int64 = 32 << 20
    private static let comfortable: Int64 = 1 << 30

    static func room(_ system: FileSystem, _ path: String) -> [Finding] {
        let free = "\(system.free >> 20) MiB free of \(system.size >> 20)"
        var findings: [Finding] = []
        if system.free < least {
            findings.append(.problem("disk", of: path, "full: \(free); no mail is taken", remedy: "make room: du -x --max-depth=2 \(path) | sort -n"))
        } else if system.free < comfortable, system.free < system.size / 20 {
            findings.append(.warning("disk", of: path, free, remedy: "make room: du -x --max-depth=2 \(path) | sort -n"))
        }
        if system.inodes > 0, system.freeInodes < system.inodes / 50 {
            let few = "\(system.freeInodes) inodes free of \(system.inodes)"
            let remedy = "remove files, or move paths.store to a filesystem with more inodes (mkfs.ext4 -i 8192)"
            findings.append(system.freeInodes < 1000 ? .problem("disk", of: path, few, remedy: remedy) : .warning("disk", of: path, few, remedy: remedy))
        }
        return findings
    }

    /// Names of `linux/magic.h`; ext4 and XFS are what the crash tests ran on.
    static func kind(_ type: UInt32, _ path: String) -> [Finding] {
        let remedy = "move it to a local ext4 or XFS"
        switch type {
        case 0xEF53, 0x5846_5342: return []
        case 0x6969: return [.problem("disk", of: path, "NFS: locks, renames and syncs are not what the logs rely on", remedy: remedy)]
        case 0xFF53_4D42, 0xFE53_4D42: return [.problem("disk", of: path, "CIFS: locks, renames and syncs are not what the logs rely on", remedy: remedy)]
        case 0x0102_1994: return [.warning("disk", of: path, "tmpfs: its mail is gone with the next start of the machine", remedy: remedy)]
        case 0x794C_7630: return [.warning("disk", of: path, "overlayfs: mail lives as long as the container", remedy: "mount a volume there (ext4 or XFS)")]
        case 0x9123_683E: return [.warning("disk", of: path, "btrfs: not among the filesystems that the crash tests ran on", remedy: remedy)]
        case 0x6573_5546: return [.warning("disk", of: path, "FUSE: what a sync means there is its program's own affair", remedy: remedy)]
        default: return [.warning("disk", of: path, "a filesystem of type 0x\(String(type, radix: 16)), not among those that the crash tests ran on", remedy: remedy)]
        }
    }

    /// A rename from the stage into a mailbox must not leave the filesystem.
    private static func stage(_ paths: Configuration.Paths) -> [Finding] {
        guard let store = try? DirectoryDescriptor(passing: paths.store).status().device,
            let stage = try? DirectoryDescriptor(passing: paths.store / ".stage").status().device, store != stage
        else { return [] }
        return [.problem("disk", of: "\(paths.store)/.stage", "lies on another filesystem than the store", remedy: "umount \(paths.store)/.stage")]
    }

    private static func inotify() -> [Finding] {
        let limit = { (name: String) in
            Machine.text(of: Path("/proc/sys/fs/inotify/\(name)")).flatMap { $0.prefix { $0.isASCIIDigit }.decimalValue }
        }
        return inotify(instances: limit("max_user_instances"), watches: limit("max_user_watches"))
    }

    /// Each service has a user of its own with a handful of each; imapd watches a folder or two for each idle session.
    static func inotify(instances: Int?, watches: Int?) -> [Finding] {
        guard let instances, let watches else { return [.unknown("inotify", "the kernel does not say its limits")] }
        var findings: [Finding] = []
        if instances < 32 {
            findings.append(.warning("inotify", "only \(instances) instances a user", remedy: "sysctl -w fs.inotify.max_user_instances=128"))
        }
        if watches < 8192 {
            findings.append(.warning("inotify", "only \(watches) watches a user", remedy: "sysctl -w fs.inotify.max_user_watches=65536"))
        }
        return findings.isEmpty ? [.ok("inotify", "\(instances) instances, \(watches) watches a user")] : findings
    }
}
