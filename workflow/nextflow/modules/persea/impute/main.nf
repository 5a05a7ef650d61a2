// One shard of the experiments that were not measured, as bigWigs.
process PERSEA_IMPUTE {
    tag "${meta.id} ${shard}/${n_shards}"
    label 'process_high'

    input:
    tuple val(meta), path(database), val(shard), val(n_shards)

    output:
    tuple val(meta), path('imputed/*.bw'), emit: bigwig, optional: true
    path 'versions.yml', emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    """
    persea impute --all-missing --shard ${shard}/${n_shards} --db ${database} --output imputed \\
        --threads ${task.cpus} ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        persea: \$(persea --version | sed 's/persea //')
    END_VERSIONS
    """
}
