//! The launch of a plan's step, with parameters as stored on the device.

use super::parameters::Layout;
use crate::error::{Error, Result};
use crate::kernels::{BufferId, Launch, MAX_WORKGROUPS, ParameterShape, Shapes};
use crate::plan::{ParameterId, Plan, Step};

/// The dispatch that computes `step`; `layout_of` returns the layout of a loaded parameter.
///
/// # Errors
/// `Internal` if shapes disagree, `Unsupported` if the launch exceeds WebGPU's guaranteed limits.
pub fn launch<'a>(
    plan: &Plan,
    step: &Step,
    layout_of: &dyn Fn(ParameterId) -> Option<&'a Layout>,
) -> Result<Launch> {
    let buffer_len = |id: BufferId| plan.buffers.get(id.0).map(|buffer| buffer.len);
    let parameter = |id: ParameterId| {
        let Layout { shape, format, offset, group } = layout_of(id)?;
        Some(ParameterShape { shape, format: *format, offset: *offset, group: *group })
    };
    let launch = step.operation.operator().launch(&Shapes {
        label: &step.label,
        batch: plan.request.batch,
        sequence: plan.request.sequence,
        output_len: buffer_len(step.output).unwrap_or(0),
        buffer_len: &buffer_len,
        parameter: &parameter,
    })?;
    if let Some(workgroups) = launch.workgroups.iter().find(|&&workgroups| workgroups > MAX_WORKGROUPS) {
        return Err(Error::unsupported(
            format!("step `{}` with {workgroups} workgroups", step.label),
            format!("a dimension has at most {MAX_WORKGROUPS}; use a smaller batch or a shorter length"),
        ));
    }
    Ok(launch)
}
