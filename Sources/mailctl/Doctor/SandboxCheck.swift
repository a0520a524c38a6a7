// What the kernel can confine, and what it says of the first process of each service. `mailctl sandbox report` proves more.

import Configuration
import Kernel
import MailModel

enum SandboxCheck {
    static func all(_ patient: Patient) -> [Finding] {
        var findings = kernel(landlock: Machine.landlockABI)
        for service in Service.allCases {
            guard let pid = patient.pid(of: service), let text = Machine.text(of: Path("/proc/\(pid)/status")) else { continue }
            findings += process(service, status: text, patient)
        }
        return findings.isEmpty ? [.ok("sandbox", "Landlock ABI \(Machine.landlockABI), seccomp; every service is confined")] : findings
    }

    static func kernel(landlock abi: Int32) -> [Finding] {
        let remedy = "a kernel with Landlock (`lsm=…,landlock` on its command line), 6.12 or later for all of it"
        switch abi {
        case ..<2: return [.warning("sandbox", "Landlock ABI \(max(abi, 0)): programs are not confined to their files", remedy: remedy)]
        case ..<4: return [.warning("sandbox", "Landlock ABI \(abi): TCP ports are not confined", remedy: remedy)]
        case ..<6: return [.warning("sandbox", "Landlock ABI \(abi): signals between programs of one user are not confined", remedy: remedy)]
        default: return []
        }
    }

    /// The lines of /proc/PID/status that tell of confinement.
    static func process(_ service: Service, status: [UInt8], _ patient: Patient?) -> [Finding] {
        var fields: [String: String] = [:]
        for line in status.split(separator: 0x0A) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            if parts.count == 2 { fields[parts[0].display] = parts[1].filter { $0 != 0x09 && $0 != 0x20 }.display }
        }
        var missing: [String] = []
        if let mode = fields["Seccomp"], mode != "2" { missing.append("no seccomp filter") }
        if let flag = fields["NoNewPrivs"], flag != "1" { missing.append("may gain privileges") }
        if let set = fields["CapEff"], set.contains(where: { $0 != "0" }) { missing.append("capabilities \(set)") }
        guard !missing.isEmpty else { return [] }
        return [.problem(
            "sandbox", of: service.rawValue, missing.joined(separator: ", "),
            remedy: patient?.mailctl("restart \(service.rawValue)") ?? "restart it")]
    }
}
